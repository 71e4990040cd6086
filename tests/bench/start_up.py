"""How long `mochi-rules run` takes to start a program, against `import wasmtime` and `go run`.

    python -m tests.bench.start_up [ROUNDS]

Warm is a program that has run before. New is one that has not, of 50 lines, on a machine that has
run others: so for Go, whose cache then has the standard library. Empty means an empty cache.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import in_turns

HELLO = Path(__file__).parent / "programs" / "hello.mochi"
KERNEL = Path(__file__).parents[2] / "bench" / "kernels" / "bg_n_body" / "kernel"
COMMAND = Path(sys.executable).with_name("mochi-rules")
# A line with the number of the process makes a program that nobody has compiled before.
NEW = '(cat {kernel}; echo "{line}") >{program}; echo 10 | {command} {program}'


def new_program(folder: str, suffix: str, line: str, command: str) -> list[str]:
    """Return a command that writes a new program, and runs it."""
    kernel = KERNEL.with_suffix(suffix)
    program = f"{folder}/new{suffix}"
    text = NEW.format(kernel=kernel, line=line, program=program, command=command)
    return ["sh", "-c", text]


def main() -> None:
    """Measure and print the ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        empty = f"rm -rf {folder}/empty; XDG_CACHE_HOME={folder}/empty exec {COMMAND} run {HELLO}"
        commands = {
            "import wasmtime": [sys.executable, "-c", "import wasmtime"],
            "warm": [str(COMMAND), "run", str(HELLO)],
            "new program": new_program(folder, ".mochi", "print($$)", f"{COMMAND} run"),
            "empty cache": ["sh", "-c", empty],
        }
        if shutil.which("go"):
            commands["go run, new"] = new_program(
                folder, ".go", "func init() { _ = $$ }", f"GOCACHE={folder}/go go run"
            )
        costs = in_turns(commands, rounds)
    base = costs["import wasmtime"].wall
    for name, cost in costs.items():
        ratio = cost.wall / base
        print(f"{name:16} {cost.wall * 1000:7.1f} ms  CPU {cost.cpu * 1000:7.1f} ms  {ratio:6.2f}")


if __name__ == "__main__":
    main()
