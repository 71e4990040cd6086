"""Runs cases in child processes: a case may raise, be wrong, never end, or kill its process."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DEADLINE = 120  # seconds for one case, on a loaded machine
BAD = ("wrong", "traceback", "hang")


class Wrong(Exception):  # noqa: N818 - a judgement, not an error
    """What must not be: wrong bytes, a wrong status, something left behind."""


@dataclass(frozen=True)
class Finding:
    """A case that did not end as it must."""

    kind: str
    number: int
    verdict: str
    detail: str

    def __str__(self) -> str:
        command = f"python -m tests.faults --{self.kind} 1 --seed {self.number}"
        return f"{self.verdict}: {self.detail}\n    {command}"


@dataclass
class Tally:
    """How cases ended."""

    cases: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take over the cases of another."""
        self.cases += other.cases
        self.ends += other.ends
        self.findings += other.findings

    def __str__(self) -> str:
        bad = Counter(finding.verdict for finding in self.findings)
        shares = ", ".join(f"{count} {end}" for end, count in self.ends.most_common())
        counts = " · ".join(f"{bad[verdict]} {verdict}" for verdict in BAD)
        return f"{self.cases} cases · {counts} ({shares})"


def run_cases(kind: str, first: int, count: int, deadline: float = DEADLINE) -> Tally:
    """Run the cases of a kind from a number on; what ends a process costs only its own case."""
    tally, last = Tally(), first + count
    while first < last:
        number = -1
        for word, detail in _batch(kind, first, last - first, deadline):
            if word == "case":
                number = int(detail)
            elif word in BAD:
                tally.findings.append(Finding(kind, number, word, detail))
            elif word:
                tally.ends[word] += 1
        if number < 0:
            raise RuntimeError(f"the cases of `{kind}` cannot be prepared")
        tally.cases += number + 1 - first
        first = number + 1
    return tally


def _batch(kind: str, first: int, count: int, deadline: float) -> Iterator[tuple[str, str]]:
    """Give the lines of a child as (word, rest); a last one where it dies or falls silent."""
    command = [sys.executable, "-m", "tests.faults.child", kind, str(first), str(count)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout is not None
    try:
        for line in _lines(child.stdout.fileno(), deadline):
            if line is None:
                yield "hang", f"nothing happened for {deadline:g} s"
                return
            word, _, rest = line.partition(" ")
            if word == "end":
                return
            yield word, rest
        yield "traceback", f"the process ended with status {child.wait()}"
    finally:
        os.killpg(child.pid, signal.SIGKILL)  # and whatever the case has started
        child.wait()
        child.stdout.close()


def _lines(file: int, deadline: float) -> Iterator[str | None]:
    """Give what is written, line by line; None when nothing is for too long."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(file, selectors.EVENT_READ)
        while True:
            if not selector.select(deadline):
                yield None
                return
            chunk = os.read(file, 1 << 16)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in lines)
