"""What people do to a cache: see what it takes, check every entry, remove all."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.digest import Digest, digest_file
from mochi_rules.cache.action_cache import ActionCache
from mochi_rules.cache.evict import Entry, remove, scan_blobs, scan_quarantine, scan_results
from mochi_rules.cache.statistics import Recorder, Statistics
from mochi_rules.cache.store import EMPTY, discard, read_failed, set_aside

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.cache.layout import Layout
    from mochi_rules.cache.messages import ActionResult


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of every entry found.

    `damaged` and `dangling` are paths below the root, ascending. A damaged entry went to
    quarantine; a dangling result has no seal, or names a blob that is not there, and was removed.
    """

    checked: int = 0
    damaged: tuple[str, ...] = ()
    dangling: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Removal:
    """How many entries were removed, and the bytes that they took on disk."""

    entries: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What the cache takes on disk: numbers of entries, and bytes of all together."""

    results: int = 0
    blobs: int = 0
    quarantined: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The state of a cache: totals of all processes, and what it takes on disk."""

    statistics: Statistics = field(default_factory=Statistics)
    usage: Usage = field(default_factory=Usage)


def usage(layout: Layout) -> Usage:
    """Return what the cache takes on disk."""
    results, blobs = scan_results(layout), scan_blobs(layout)
    quarantined = scan_quarantine(layout)
    size = sum(entry.size for entry in (*results, *blobs, *quarantined))
    return Usage(len(results), len(blobs), len(quarantined), size)


def verify(layout: Layout, recorder: Recorder) -> Verification:
    """Hash every blob and decode every result.

    Emits: K006 (damaged), K007 (unreadable).
    """
    blobs = _digests(scan_blobs(layout))
    results = _digests(scan_results(layout))
    damaged = [layout.blob(digest) for digest in blobs if not _check_blob(digest, layout, recorder)]
    dangling = []
    action_cache = ActionCache(layout, recorder)
    for digest in results:
        path = layout.result(digest)
        result = action_cache.get(digest)
        if result is None and not path.exists():
            damaged.append(path)
        elif result is None or not _is_complete(result, layout):
            dangling.append(path)
            with suppress(OSError):
                discard(path)
    return Verification(
        len(blobs) + len(results), _names(damaged, layout), _names(dangling, layout)
    )


def clear(layout: Layout) -> Removal:
    """Remove every entry, results first, and the counters; directories and locks stay.

    Raises:
        OSError: The counters cannot be removed: the cache cannot be written.
    """
    removed = [
        entry
        for entry in (*scan_results(layout), *scan_blobs(layout), *scan_quarantine(layout))
        if remove(entry)
    ]
    discard(layout.statistics)
    return Removal(len(removed), sum(entry.size for entry in removed))


def _digests(entries: Iterable[Entry]) -> list[Digest]:
    """Return the digests that the files are named by, of size 0; a name is all that is known."""
    digests = []
    for entry in entries:
        with suppress(ValueError):  # a draft, or a seal alone
            digests.append(Digest(Path(entry.paths[0]).name, 0))
    return digests


def _check_blob(digest: Digest, layout: Layout, recorder: Recorder) -> bool:
    path = layout.blob(digest)
    try:
        intact = digest_file(path).hash == digest.hash
    except OSError as error:
        read_failed(error, path, recorder)
        return False
    if not intact:
        set_aside(path, layout, recorder)
    return intact


def _is_complete(result: ActionResult, layout: Layout) -> bool:
    digests = (file.digest for file in result.output_files)
    return all(digest == EMPTY or layout.blob(digest).exists() for digest in digests)


def _names(paths: list[Path], layout: Layout) -> tuple[str, ...]:
    return tuple(sorted(path.relative_to(layout.root).as_posix() for path in paths))
