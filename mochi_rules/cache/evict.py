"""Keeping the cache under its limits: what is too old goes, and the least recently used files.

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
from mochi_rules.base.digest import Digest
from mochi_rules.cache.entry import discard, write_entry
from mochi_rules.cache.limits import DAY
from mochi_rules.cache.lock import file_lock
from mochi_rules.cache.statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mochi_rules.cache.directory import Layout
    from mochi_rules.cache.limits import Limits

_HIGH_WATER = 0.9  # of the cap: above it, eviction begins
_LOW_WATER = 0.7  # of the cap: at it, eviction ends
_SAMPLED = 16  # of the 256 directories
_BLOCK = 4096  # bytes; what a small file takes on most file systems
_RESULT_LEAD_NS = 60 * 10**9
_AT_ONCE = -1  # in the place of a time of last use
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


def digests_of(entries: Iterable[Entry]) -> list[Digest]:
    """Return the digests that files are named by, of size 0: a name is all that is known."""
    digests = []
    for entry in entries:
        with suppress(ValueError):  # a draft, or a file of the user's
            digests.append(Digest(entry.name, 0))
    return digests


def is_due(layout: Layout, limits: Limits) -> bool:
    """Return whether the cache seems to be above the high water mark, or was not swept today."""
    return estimate(layout) > limits.size * _HIGH_WATER or (limits.age > 0 and _is_late(layout))


def estimate(layout: Layout) -> int:
    """Return about how many bytes the entries take, from a sample of the directories."""
    first = os.urandom(1)[0] % (len(_SHELVES) // _SAMPLED)
    shelves = _SHELVES[first :: len(_SHELVES) // _SAMPLED]
    places = [kind / shelf for kind in (layout.blobs, layout.results) for shelf in shelves]
    sizes = (entry.size for place in places for entry in _scan(place))
    return sum(sizes) * len(_SHELVES) // len(shelves)


def evict(layout: Layout, limits: Limits, keep_since: int) -> Statistics:
    """Bring the cache from above the high to the low water mark, and remove what is too old.

    What interrupted writers have left goes too. Entries used since `keep_since`, in nanoseconds,
    stay in any case. Does nothing while another process is working. Returns what was evicted.
    """
    with file_lock(layout.locks / "evict", blocking=False) as held:
        if not held:
            return Statistics()
        with suppress(OSError):
            write_entry(layout.swept, b"", 0o644)
        queue = [(entry.used - _RESULT_LEAD_NS, entry) for entry in scan_results(layout)]
        queue += [(entry.used, entry) for entry in scan_blobs(layout) + scan_quarantine(layout)]
        queue = [(_AT_ONCE if _is_draft(entry) else used, entry) for used, entry in queue]
        others = (*scan_runs(layout), *_scan(layout.swept.parent))
        queue += [(_AT_ONCE, entry) for entry in others if _is_draft(entry)]
        total = sum(entry.size for _, entry in queue)
        goal = limits.size * (_LOW_WATER if total > limits.size * _HIGH_WATER else 1)
        oldest = time.time_ns() - limits.age if limits.age else 0
        count = size = 0
        for used, entry in sorted(queue):
            if used >= keep_since - _RESULT_LEAD_NS or (total - size <= goal and used >= oldest):
                break
            if _remove_unused(entry):
                count, size = count + 1, size + entry.size
        return Statistics(evicted=count, bytes_evicted=size)


def _is_draft(entry: Entry) -> bool:
    return entry.name.startswith(".")


def _is_late(layout: Layout) -> bool:
    """Return whether the last eviction was more than a day ago."""
    try:
        return time.time_ns() - layout.swept.stat().st_mtime_ns > DAY
    except OSError:
        return True


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
