"""How long a hello of ours takes from start to end, against C and against the `wasmtime` command.

    python -m tests.bench.executable_start [ROUNDS]

Takes a C compiler, an installed launcher (`mochi-rules toolchain install launcher`), and `wasmtime`
where it is on PATH.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import in_turns

HELLO = Path(__file__).parent / "programs" / "hello.mochi"
C_HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); }\n'
_BATCH = 50  # starts in one measurement: one alone is shorter than what starting it costs


def main() -> None:
    """Measure and print the ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    command = str(Path(sys.executable).with_name("mochi-rules"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = [command, "build", str(HELLO)]
        subprocess.run([*build, "--emit", "exe", "-o", folder / "ours"], check=True)
        subprocess.run([*build, "-o", folder / "hello.cwasm"], check=True)
        (folder / "c.c").write_text(C_HELLO)
        subprocess.run(["cc", "-O2", folder / "c.c", "-o", folder / "c"], check=True)
        programs = {"nothing": "true", "C": f"{folder}/c", "ours": f"{folder}/ours"}
        if shutil.which("wasmtime"):
            run = "wasmtime run --allow-precompiled -W concurrency-support=y -C collector=drc"
            programs["wasmtime"] = f"{run} {folder}/hello.cwasm"
        costs = in_turns({label: _batch(text) for label, text in programs.items()}, rounds)
    base = costs["nothing"].wall
    of_c = costs["C"].wall - base
    for label, cost in costs.items():
        if label != "nothing":
            each = (cost.wall - base) / _BATCH * 1000
            print(f"{label:9} {each:6.2f} ms {(cost.wall - base) / of_c:6.2f} x C")


def _batch(text: str) -> list[str]:
    loop = f"for i in $(seq {_BATCH}); do {text} >/dev/null; done"
    return ["sh", "-c", loop]


if __name__ == "__main__":
    main()
