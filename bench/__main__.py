"""Compare the kernels: `python -m bench [--rounds N] [--write] [NAME...]`.

All programs of a kernel take turns, so that a noisy machine disturbs them alike; a figure is the
least CPU time of all rounds, as a ratio to C. `--write` makes docs/performance.md of the run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from math import exp, log
from pathlib import Path

from bench.kernels import C, Kernel, find_kernels

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


@dataclass(frozen=True)
class Figure:
    """What one program took: CPU seconds, and memory at its peak in MiB."""

    seconds: float
    memory: float


def measure(executable: Path, size: bytes) -> tuple[Figure, bytes]:
    """Run a program once; return what it took and what it printed."""
    read, write = os.pipe()
    with subprocess.Popen([executable], stdin=read, stdout=subprocess.PIPE) as process:
        os.close(read)
        os.write(write, size)
        os.close(write)
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{executable.name} ended with status {process.returncode}")
    return Figure(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024), printed


def compare(kernel: Kernel, rounds: int, folder: Path, optimize: str | None) -> dict[str, Figure]:
    """Return the best figure of each language; all must print the same."""
    built = kernel.build(folder, optimize)
    best: dict[str, Figure] = {}
    printed: dict[str, bytes] = {}
    for _ in range(rounds):
        for language, executable in built.items():
            figure, printed[language] = measure(executable, kernel.size)
            least = best.get(language, figure)
            best[language] = min(figure, least, key=lambda one: one.seconds)
    if len(set(printed.values())) != 1:
        sys.exit(f"{kernel.name}: the programs disagree: {printed}")
    return best


def row(name: str, figures: dict[str, Figure]) -> str:
    """Return one row of the table, in Markdown."""
    c, mochi, go = figures["c"], figures["mochi"], figures.get("go")
    against_go = f"{go.seconds / c.seconds:.2f}" if go else "-"
    return (
        f"| {name} | {c.seconds:.2f} s | {against_go} | {mochi.seconds / c.seconds:.2f} |"
        f" {c.memory:.1f} | {mochi.memory:.1f} |"
    )


def geometric_mean(ratios: list[float]) -> float:
    """Return the geometric mean."""
    return exp(sum(map(log, ratios)) / len(ratios))


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--optimize", choices=["0", "1", "2"])
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    head = [
        "| kernel | C | Go / C | Mochi / C | C, MiB | Mochi, MiB |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    print("\n".join(head))
    rows, ratios, go = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for kernel in find_kernels(arguments.names):
            figures = compare(kernel, arguments.rounds, Path(folder), arguments.optimize)
            rows.append(row(kernel.name, figures))
            ratios.append(figures["mochi"].seconds / figures["c"].seconds)
            if "go" in figures:
                go.append(figures["go"].seconds / figures["c"].seconds)
            print(rows[-1], flush=True)
    against_go = f"{geometric_mean(go):.2f}" if go else "-"
    mean = f"| **geometric mean** | 1 | **{against_go}** | **{geometric_mean(ratios):.2f}** | | |"
    print(mean)
    if arguments.write:
        intro = (__doc__ or "").split("\n\n")[1]
        lines = ["# Performance", "", intro.split(" `--write`")[0], "", f"C is `{' '.join(C)}`."]
        PAGE.write_text("\n".join([*lines, "", *head, *rows, mean, ""]))


main()
