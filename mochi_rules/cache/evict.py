"""Keeping the cache under its cap: the least recently used files go first.

The time of last use is a file's mtime. Storing or touching an entry refreshes its blobs first and
its action result last, within a minute; counting results as a minute older therefore puts every
result before the blobs that it names, and one list in one order removes no blob under a result.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.cache.entry import discard
from mochi_rules.cache.lock import file_lock
from mochi_rules.cache.statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.cache.directory import Layout

_HIGH_WATER = 0.9  # of the cap: above it, eviction begins
_LOW_WATER = 0.7  # of the cap: at it, eviction ends
_SAMPLED = 16  # of the 256 directories
_BLOCK = 4096  # bytes; what a small file takes on most file systems
_RESULT_LEAD_NS = 60 * 10**9
_DRAFT_NS = 3600 * 10**9  # after an hour, no writer is still at its draft
_SHELVES = tuple(f"{index:02x}" for index in range(256))


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A file of the cache with its time of last use; `size` is what it takes on disk, in bytes."""

    used: int  # nanoseconds since the epoch
    path: str
    size: int

    @property
    def name(self) -> str:
        """The last part of the path."""
        return os.path.basename(self.path)  # noqa: PTH119 - of very many


def scan_results(layout: Layout) -> list[Entry]:
    """Return the action results; what vanishes meanwhile is left out."""
    return [entry for shelf in _SHELVES for entry in _scan(layout.results / shelf)]


def scan_blobs(layout: Layout) -> list[Entry]:
    """Return the blobs; what vanishes meanwhile is left out."""
    return [entry for shelf in _SHELVES for entry in _scan(layout.blobs / shelf)]


def scan_quarantine(layout: Layout) -> list[Entry]:
    """Return what is in quarantine."""
    return list(_scan(layout.quarantine))


def scan_runs(layout: Layout) -> list[Entry]:
    """Return the records of runs."""
    return list(_scan(layout.runs))


def is_full(layout: Layout, capacity: int) -> bool:
    """Return whether the cache seems to be above the high water mark of a cap, in bytes."""
    return estimate(layout) > capacity * _HIGH_WATER


def estimate(layout: Layout) -> int:
    """Return about how many bytes the entries take, from a sample of the directories."""
    first = os.urandom(1)[0] % (len(_SHELVES) // _SAMPLED)
    shelves = _SHELVES[first :: len(_SHELVES) // _SAMPLED]
    places = [kind / shelf for kind in (layout.blobs, layout.results) for shelf in shelves]
    sizes = (entry.size for place in places for entry in _scan(place))
    return sum(sizes) * len(_SHELVES) // len(shelves)


def evict(layout: Layout, capacity: int, keep_since: int) -> Statistics:
    """Bring the cache from above the high to the low water mark.

    `capacity` is in bytes. Entries used since `keep_since`, in nanoseconds, stay in any case. Does
    nothing while another process is working. Returns what was evicted.
    """
    with file_lock(layout.locks / "evict", blocking=False) as held:
        if not held:
            return Statistics()
        queue = [(entry.used - _RESULT_LEAD_NS, entry) for entry in scan_results(layout)]
        queue += [(entry.used, entry) for entry in scan_blobs(layout) + scan_quarantine(layout)]
        total = sum(entry.size for _, entry in queue)
        evicted = Statistics()
        if total <= capacity * _HIGH_WATER:
            return evicted
        for used, entry in sorted(queue):
            if total <= capacity * _LOW_WATER or used >= keep_since - _RESULT_LEAD_NS:
                break
            if _remove_unused(entry):
                total -= entry.size
                evicted += Statistics(evicted=1, bytes_evicted=entry.size)
        return evicted


def remove(entry: Entry) -> bool:
    """Remove an entry, and return whether this call did."""
    with suppress(OSError):
        return discard(Path(entry.path))
    return False


def _remove_unused(entry: Entry) -> bool:
    """Remove an entry, unless it has been used since the scan."""
    try:
        if Path(entry.path).lstat().st_mtime_ns != entry.used:
            return False
    except OSError:
        return False
    return remove(entry)


def _scan(directory: Path) -> Iterator[Entry]:
    """Yield the entries of one directory, but no drafts that a writer may still be at."""
    with suppress(OSError), os.scandir(directory) as items:
        for item in items:
            with suppress(OSError):
                status = item.stat(follow_symlinks=False)
                is_draft = item.name.startswith(".")
                if not is_draft or time.time_ns() - status.st_mtime_ns > _DRAFT_NS:
                    size = -(-status.st_size // _BLOCK) * _BLOCK
                    yield Entry(status.st_mtime_ns, item.path, size)
