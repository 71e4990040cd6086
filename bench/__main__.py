"""Compare the kernels: `python -m bench [--rounds N] [--write] [NAME...]`.

All programs of a kernel take turns, so that a noisy machine disturbs them alike; a figure is the
least CPU time of all rounds. `--write` puts the table into docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.kernels import Kernel, build_meter, find_kernels
from bench.page import geometric_mean, write_section

HEAD = (
    "| kernel | C, s | Go, s | Mochi, s | Go / C | Mochi / C | C, MiB | Go, MiB | Mochi, MiB |",
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
)
WORST = 3  # rows that are named below the table


@dataclass(frozen=True)
class Figure:
    """What one program took: CPU seconds, and memory at its peak in MiB."""

    seconds: float
    memory: float


@dataclass(frozen=True)
class Row:
    """A kernel and the figures of its programs, of which that in Go may be missing."""

    name: str
    figures: dict[str, Figure]

    def ratio(self, language: str) -> float:
        """Return the seconds of a program against those of C."""
        return self.figures[language].seconds / self.figures["c"].seconds

    def __str__(self) -> str:
        found = [self.figures.get(language) for language in ("c", "go", "mochi")]
        seconds = [f"{one.seconds:.2f}" if one else "-" for one in found]
        memory = [f"{one.memory:.1f}" if one else "-" for one in found]
        go = f"{self.ratio('go'):.2f}" if "go" in self.figures else "-"
        cells = [self.name, *seconds, go, f"{self.ratio('mochi'):.2f}", *memory]
        return f"| {' | '.join(cells)} |"


def measure(meter: Path, executable: Path, size: bytes) -> tuple[Figure, bytes]:
    """Run a program once by `measure.c`; return what it took and what it printed."""
    read, write = os.pipe()
    with os.fdopen(read) as report:
        process = subprocess.Popen(
            [str(meter), str(write), str(executable)],
            pass_fds=[write],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        os.close(write)
        printed, _ = process.communicate(size)
        found = [int(word) for word in report.read().split()]
    if process.returncode or found[2]:
        sys.exit(f"{executable.name} ended with status {found[2:] or process.returncode}")
    return Figure(found[0] / 1e6, found[1] / 1024), printed


def compare(kernel: Kernel, rounds: int, folder: Path, optimize: str | None) -> Row:
    """Return the best figure of each language; all must print the same."""
    built = kernel.build(folder, optimize)
    meter = build_meter(folder)
    best: dict[str, Figure] = {}
    printed: dict[str, bytes] = {}
    for _ in range(rounds):
        for language, executable in built.items():
            figure, printed[language] = measure(meter, executable, kernel.size)
            least = best.get(language, figure)
            best[language] = min(figure, least, key=lambda one: one.seconds)
    if len(set(printed.values())) != 1:
        sys.exit(f"{kernel.name}: the programs disagree: {printed}")
    return Row(kernel.name, best)


def summary(rows: list[Row]) -> list[str]:
    """Return the last row of the table, and which rows are worst."""
    against_go = [row.ratio("go") for row in rows if "go" in row.figures]
    go = f"**{geometric_mean(against_go):.2f}**" if against_go else "-"
    mochi = geometric_mean(row.ratio("mochi") for row in rows)
    worst = sorted(rows, key=lambda row: row.ratio("mochi"), reverse=True)[:WORST]
    named = ", ".join(f"`{row.name}` {row.ratio('mochi'):.2f}" for row in worst)
    return [
        f"| **geometric mean** | | | | {go} | **{mochi:.2f}** | | | |",
        "",
        f"The slowest against C: {named}.",
    ]


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--optimize", choices=["0", "1", "2"])
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    print("\n".join(HEAD))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for kernel in find_kernels(arguments.names):
            rows.append(compare(kernel, arguments.rounds, Path(folder), arguments.optimize))
            print(rows[-1], flush=True)
    end = summary(rows)
    print("\n".join(end))
    if arguments.write:
        write_section("kernels", [*HEAD, *map(str, rows), *end])


if __name__ == "__main__":
    main()
