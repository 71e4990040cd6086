"""Counters: what one process did, and the total of all processes on disk."""

from __future__ import annotations

import re
from itertools import accumulate
from threading import Lock
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, fields, replace
from mochi_rules.base.diagnostic import Severity

if TYPE_CHECKING:
    from mochi_rules.base.diagnostic import Diagnostic


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of things, and bytes.

    A lookup is a hit or a miss. `skipped` are stores not done because the cache cannot be
    written; `corrupted` entries went to quarantine; `errors` are failures of the file system.
    `bytes_read` and `bytes_written` count blobs; `evicted` counts files, `bytes_evicted` them.
    Of a server, `untrusted` are results that were not believed, and calls are counted by how long
    they took at most.
    """

    hits: int = 0
    misses: int = 0
    stores: int = 0
    skipped: int = 0
    corrupted: int = 0
    errors: int = 0
    evicted: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    bytes_evicted: int = 0
    untrusted: int = 0
    calls_10ms: int = 0
    calls_100ms: int = 0
    calls_1s: int = 0
    calls_longer: int = 0

    def __add__(self, other: Statistics) -> Statistics:
        """Return the sums."""
        return Statistics(*(getattr(self, name) + getattr(other, name) for name in _NAMES))

    def to_text(self) -> str:
        """Return one line `name value` for each counter."""
        return "".join(f"{name} {getattr(self, name)}\n" for name in _NAMES)


_NAMES = tuple(field.name for field in fields(Statistics))
# Counters of calls: the longest in seconds, and as people read it.
_CALLS = (("calls_10ms", 0.01, "≤ 10 ms"), ("calls_100ms", 0.1, "≤ 100 ms"),
          ("calls_1s", 1.0, "≤ 1 s"))  # fmt: skip
_PERCENTILES = (50, 90, 99)
_LINE = re.compile(r"^([a-z0-9_]+) ([0-9]{1,18})$", re.MULTILINE)


def parse_statistics(text: str) -> Statistics:
    """Return the counters of a string; lines without meaning count as 0."""
    found = _LINE.findall(text)
    return Statistics(**{name: int(value) for name, value in found if name in _NAMES})


def call_statistics(seconds: float) -> Statistics:
    """Return the count of one call that took so long."""
    name = next((name for name, limit, _ in _CALLS if seconds <= limit), "calls_longer")
    return Statistics(**{name: 1})


def latency_text(statistics: Statistics) -> str:
    """Return percentiles of how long calls took, such as `50 % ≤ 10 ms`; empty without calls."""
    counts = [(getattr(statistics, name), shown) for name, _, shown in _CALLS]
    total = sum(count for count, _ in counts) + statistics.calls_longer
    parts = []
    for percent in _PERCENTILES if total else ():
        covered = accumulate(count for count, _ in counts)
        bound = (shown for (_, shown), count in zip(counts, covered, strict=True)
                 if count * 100 >= total * percent)  # fmt: skip
        parts.append(f"{percent} % {next(bound, '> 1 s')}")
    return ", ".join(parts)


class Recorder:
    """Counts and warns for one process; safe for threads. Each code warns once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counted = Statistics()
        self._pending: list[Statistics] = []
        self._warnings: dict[str, Diagnostic] = {}

    def count(self, amounts: Statistics) -> None:
        """Add to the counters."""
        with self._lock:
            self._pending.append(amounts)

    def take_pending(self) -> Statistics:
        """Return what was counted since the last call."""
        with self._lock:
            pending = sum(self._pending, Statistics())
            self._counted += pending
            self._pending.clear()
            return pending

    def warn(self, *diagnostics: Diagnostic) -> None:
        """Keep errors as warnings, each unless one with its code is kept already."""
        with self._lock:
            for item in diagnostics:
                kept = replace(item, severity=Severity.WARNING)
                self._warnings.setdefault(item.code, kept)

    @property
    def counted(self) -> Statistics:
        """What this process did."""
        with self._lock:
            return sum(self._pending, self._counted)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The warnings, in the order of discovery."""
        with self._lock:
            return tuple(self._warnings.values())
