"""How long `mochi-rules run hello.mochi` takes, warm and cold, against `import wasmtime`.

    python -m tests.bench.start_up [ROUNDS]

Cold means: an empty cache, so that the program is compiled, checked and stored first.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import in_turns

HELLO = Path(__file__).parent / "programs" / "hello.mochi"


def main() -> None:
    """Measure and print the ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    command = Path(sys.executable).with_name("mochi-rules")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        cold = f"rm -rf {folder}/cold; XDG_CACHE_HOME={folder}/cold exec {command} run {HELLO}"
        costs = in_turns(
            {
                "import wasmtime": [sys.executable, "-c", "import wasmtime"],
                "warm": [str(command), "run", str(HELLO)],
                "cold": ["sh", "-c", cold],
            },
            rounds,
        )
    base = costs["import wasmtime"].wall
    for name, cost in costs.items():
        print(f"{name:16} {cost.wall * 1000:7.1f} ms {cost.wall / base:6.2f} x import wasmtime")


if __name__ == "__main__":
    main()
