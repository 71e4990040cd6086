"""What people do to a cache: see what it takes, check every entry, remove all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.cache.action_cache import ActionCache
from mochi_rules.cache.directory import MAX_RUN
from mochi_rules.cache.entry import check_folder, discard, open_file, unseal
from mochi_rules.cache.evict import (
    digests_of,
    remove,
    scan_blobs,
    scan_quarantine,
    scan_results,
    scan_runs,
)
from mochi_rules.cache.statistics import Recorder, Statistics
from mochi_rules.cache.store import EMPTY, has_size, read, refuse, set_aside
from mochi_rules.cache.stored_step import StoredStep, stored_step

if TYPE_CHECKING:
    from pathlib import Path

    from mochi_rules.base.diagnostic import MochiError
    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.directory import Layout
    from mochi_rules.cache.messages import ActionResult

# Returns why a build would not take what is stored of a step; None where it would.
Refusal = Callable[[StoredStep], "MochiError | None"]

_MAX_BLOB = 1 << 33  # bytes; what claims to be larger is not read


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of every entry found.

    `damaged`, `dangling` and `refused` are paths below the root, ascending. A damaged entry went to
    quarantine; a dangling result is a failure, or names a blob that is not there, and was removed.
    A refused result, here with the reason, is of a step whose output a build would not take; it was
    removed.
    """

    checked: int = 0
    damaged: tuple[str, ...] = ()
    dangling: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


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
    """The state of a cache: totals of all processes, also of a shared tier, and what it takes."""

    statistics: Statistics = field(default_factory=Statistics)
    usage: Usage = field(default_factory=Usage)
    shared: Statistics = field(default_factory=Statistics)


def usage(layout: Layout) -> Usage:
    """Return what the cache takes on disk."""
    results, blobs = scan_results(layout), scan_blobs(layout)
    quarantined = scan_quarantine(layout)
    size = sum(entry.size for entry in (*results, *blobs, *quarantined))
    return Usage(len(results), len(blobs), len(quarantined), size)


def verify(layout: Layout, recorder: Recorder, refusal: Refusal) -> Verification:
    """Find every entry that a build would refuse: hash the blobs, decode and check the results.

    Emits: K002 (of others), K006 (damaged), K007 (unreadable).
    """
    blobs = digests_of(scan_blobs(layout))
    results = digests_of(scan_results(layout))
    damaged = [layout.blob(digest) for digest in blobs if not _check_blob(digest, layout, recorder)]
    dangling, refused = [], []
    action_cache = ActionCache(layout, recorder)
    for digest in results:
        path = layout.result(digest)
        if not os.path.lexists(path):
            continue  # another process has removed it
        result = action_cache.get(digest)
        if result is None:
            damaged.append(path)
        elif result.exit_code != 0 or not _is_complete(result, layout):
            dangling.append(path)
            with suppress(OSError):
                discard(path)
        elif (step := stored_step(digest, result, layout, recorder)) and (error := refusal(step)):
            refused.append((path.relative_to(layout.root).as_posix(), _reason(error)))
            with suppress(OSError):
                discard(path)
    runs = [layout.runs / entry.name for entry in scan_runs(layout)]
    damaged += [path for path in runs if not _check_run(path, layout, recorder)]
    checked = len(blobs) + len(results) + len(runs)
    names = _names(damaged, layout), _names(dangling, layout)
    return Verification(checked, *names, tuple(sorted(refused)))


def clear(layout: Layout) -> Removal:
    """Remove every entry, results first, and the counters; directories and locks stay.

    Raises:
        OSError: The counters cannot be removed: the cache cannot be written.
    """
    entries = (
        *scan_runs(layout),
        *scan_results(layout),
        *scan_blobs(layout),
        *scan_quarantine(layout),
    )
    removed = [entry for entry in entries if remove(entry)]
    discard(layout.statistics)
    discard(layout.shared_statistics)
    return Removal(len(removed), sum(entry.size for entry in removed))


def _check_blob(digest: Digest, layout: Layout, recorder: Recorder) -> bool:
    path = layout.blob(digest)
    try:
        check_folder(path.parent)
        file, _ = open_file(path, _MAX_BLOB)
        with file:
            intact = hashlib.file_digest(file, "sha256").hexdigest() == digest.hash  # type: ignore[arg-type]
    except FileNotFoundError:
        return True  # another process has removed it
    except OSError as error:
        refuse(error, path, layout, recorder)
        return False
    if not intact:
        set_aside(path, layout, recorder)
    return intact


def _check_run(path: Path, layout: Layout, recorder: Recorder) -> bool:
    data = read(path, MAX_RUN, layout, recorder)
    if data is not None and unseal(path.name, data) is None:
        set_aside(path, layout, recorder)
        return False
    return data is not None


def _reason(error: MochiError) -> str:
    first = error.diagnostics[0]
    return "; ".join((first.message, *first.notes[:1]))


def _is_complete(result: ActionResult, layout: Layout) -> bool:
    digests = (file.digest for file in result.output_files)
    return all(digest == EMPTY or has_size(layout.blob(digest), digest.size) for digest in digests)


def _names(paths: list[Path], layout: Layout) -> tuple[str, ...]:
    return tuple(sorted(path.relative_to(layout.root).as_posix() for path in paths))
