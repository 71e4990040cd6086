"""Count the instructions of the kernels: `python -m bench.counts [--write] [NAME...]`.

The count of a run is the same on a busy machine, so a test compares it with the one recorded in
`instructions.json`. `--write` records what is counted now. Counting needs valgrind.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.kernels import Kernel, find_kernels

RECORDED = Path(__file__).with_name("instructions.json")
TOLERANCE = 1.03  # other versions of gcc, of Rust and of valgrind make a difference, too


def count_instructions(executable: Path, size: bytes) -> int:
    """Run a program in valgrind; return how many instructions it executed, its start included."""
    valgrind = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", executable)
    ended = subprocess.run(valgrind, input=size, capture_output=True, check=True)
    found = re.search(rb"Collected : (\d+)", ended.stderr)
    assert found, ended.stderr
    return int(found[1])


def read_recorded() -> dict[str, int]:
    """Return the recorded count of each kernel, in thousands."""
    recorded: dict[str, int] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return recorded


def count_kernel(kernel: Kernel, folder: Path) -> int:
    """Build a kernel in a folder, and return its count in thousands."""
    return count_instructions(kernel.build_mochi(folder), kernel.small) // 1000


def main() -> None:
    """Count, and compare with what is recorded."""
    parser = argparse.ArgumentParser(prog="python -m bench.counts", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--write", action="store_true", help="record the counts")
    arguments = parser.parse_args()
    recorded = read_recorded()
    slower = []
    print("| kernel | recorded, 10³ | now, 10³ | now / recorded |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for kernel in find_kernels(arguments.names):
            now = count_kernel(kernel, Path(folder))
            before = recorded.get(kernel.name, now)
            print(f"| {kernel.name} | {before:,} | {now:,} | {now / before:.3f} |", flush=True)
            if now > before * TOLERANCE:
                slower.append(kernel.name)
            recorded[kernel.name] = now
    if arguments.write:
        text = json.dumps(recorded, indent=2, sort_keys=True) + "\n"
        RECORDED.write_text(text, encoding="utf-8")
    elif slower:
        sys.exit(f"slower than recorded: {', '.join(slower)}")


if __name__ == "__main__":
    main()
