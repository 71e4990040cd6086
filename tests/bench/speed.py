"""Loops of additions, appends and map inserts, against C at -O2 and the Python interpreter.

    python -m tests.bench.speed [ROUNDS]

Whole processes; the time of an empty program of the same kind is taken off.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Cost, in_turns

PROGRAMS = Path(__file__).parent / "programs"
NAMES = ("additions", "appends", "map_inserts")


def main() -> None:
    """Measure all programs and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty.c")
        empty.write_text("int main(void) { return 0; }\n")
        commands = {("empty", "mochi"): _mochi("hello", folder), ("empty", "c"): _c(empty, folder),
                    ("empty", "python"): [sys.executable, "-c", ""]}  # fmt: skip
        for name in NAMES:
            commands[name, "mochi"] = _mochi(name, folder)
            commands[name, "c"] = _c(PROGRAMS / f"{name}.c", folder)
            commands[name, "python"] = [sys.executable, str(PROGRAMS / f"{name}.py")]
        named = {f"{program} {kind}": command for (program, kind), command in commands.items()}
        costs = in_turns(named, rounds)
    for name in NAMES:
        print(name)
        net = {kind: _net(costs, name, kind) for kind in ("mochi", "c", "python")}
        for kind, (seconds, memory) in net.items():
            ratio = seconds / net["c"][0] if net["c"][0] > 0 else float("nan")
            print(f"  {kind:7} {seconds * 1000:8.1f} ms {ratio:7.1f} x C {memory:8.1f} MiB")


def _net(costs: dict[str, Cost], name: str, kind: str) -> tuple[float, float]:
    cost, empty = costs[f"{name} {kind}"], costs[f"empty {kind}"]
    return max(cost.cpu - empty.cpu, 0.0001), cost.memory - empty.memory


def _mochi(name: str, folder: str) -> list[str]:
    artifact = Path(folder, f"{name}.cwasm")
    source = str(PROGRAMS / f"{name}.mochi")
    command = [sys.executable, "-m", "mochi_rules"]
    build = [*command, "build", source, "--emit", "cwasm", "-o", str(artifact)]
    subprocess.run(build, check=True, capture_output=True)
    return [*command, "run", str(artifact)]


def _c(source: Path, folder: str) -> list[str]:
    program = Path(folder, source.stem)
    subprocess.run(["gcc", "-O2", "-o", str(program), str(source)], check=True)
    return [str(program)]


if __name__ == "__main__":
    main()
