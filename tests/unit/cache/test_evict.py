"""Eviction: the cap holds, what is used stays, and no result is left without its blobs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache import evict
from mochi_rules.cache.cache import Cache
from mochi_rules.cache.directory import Layout
from mochi_rules.cache.limits import Limits
from mochi_rules.cache.lock import file_lock
from mochi_rules.cache.maintenance import usage

from .samples import OUTPUTS, blob_path, make_action, result_path

if TYPE_CHECKING:
    from mochi_rules.cache.key import PreparedAction

STEPS = 10
SIZE = 40 << 10  # bytes, of the output that each step has for itself
CAP = 400 << 10  # bytes: the ten steps take 568 KiB, since each has five files
CWASM, MAP = OUTPUTS
HOUR = 3600 * 10**9  # nanoseconds


def outputs_of(index: int) -> dict[str, bytes]:
    """Return the outputs of a step: one of its own, and one that all steps share."""
    return {CWASM: bytes([index]) * SIZE, MAP: b"shared"}


def set_age(root: Path, index: int, hours: float) -> PreparedAction:
    """Let a step and what it alone uses be older."""
    action = make_action(str(index))
    used = time.time() - hours * 3600
    result, own = result_path(root, action), digest_bytes(outputs_of(index)[CWASM])
    os.utime(result, (used, used))
    for path in [blob_path(root, digest) for digest in (own, *action.messages)]:
        os.utime(path, (used - 30, used - 30))  # the store took half a minute
    return action


@pytest.fixture
def actions(root: Path) -> list[PreparedAction]:
    """Return steps whose outputs are in the cache; the first was used longest ago."""
    cache = Cache(root)
    for index in range(STEPS):
        cache.store(make_action(str(index)), outputs_of(index))
    return [set_age(root, index, 2 * (STEPS - index)) for index in range(STEPS)]


def found(root: Path, actions: list[PreparedAction]) -> list[bool]:
    """Return for each step whether its outputs are in the cache."""
    return [Cache(root).lookup(action) is not None for action in actions]


def test_gc_honors_the_cap(root: Path, actions: list[PreparedAction]) -> None:
    """A collection leaves the cache at its low water mark."""
    assert Cache(root).report().usage.size > CAP
    cache = Cache(root, limits=Limits(CAP))
    evicted = cache.gc()
    size = cache.report().usage.size
    assert CAP * 0.5 < size <= CAP * 0.7
    assert cache.statistics.bytes_evicted == evicted.bytes_evicted > 0


def test_gc_keeps_what_was_used_last(root: Path, actions: list[PreparedAction]) -> None:
    """The steps that stay are the ones used last."""
    Cache(root, limits=Limits(CAP)).gc()
    kept = found(root, actions)
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (False, True)


def test_gc_keeps_what_was_hit(root: Path, actions: list[PreparedAction]) -> None:
    """A hit on the oldest step saves it."""
    Cache(root).lookup(actions[0])
    Cache(root, limits=Limits(CAP)).gc()
    assert found(root, actions)[:2] == [True, False]


def test_gc_below_the_high_water_mark_does_nothing(
    root: Path, actions: list[PreparedAction]
) -> None:
    """A cache with room keeps everything."""
    assert Cache(root).gc().evicted == 0
    assert all(found(root, actions))


def test_gc_keeps_what_is_younger_than_the_process(root: Path) -> None:
    """What a build has just stored stays, even above the cap."""
    cache = Cache(root, limits=Limits(CAP))
    for index in range(STEPS):
        cache.store(make_action(str(index)), outputs_of(index))
    assert cache.gc().evicted == 0
    assert all(found(root, [make_action(str(index)) for index in range(STEPS)]))


def test_gc_to_nothing_leaves_no_file(root: Path, actions: list[PreparedAction]) -> None:
    """Drafts and quarantine go too."""
    old = time.time() - 7200
    for name in ("cas/00/.draft", "ac/00/.draft", "quarantine/cas-" + "0" * 64):
        path = root / "v1" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (old, old))
    for path in (root / "v1").rglob("*"):
        os.utime(path, (old, old))
    Cache(root, limits=Limits(0)).gc()
    assert [path.name for path in (root / "v1").rglob("*") if path.is_file()] == ["swept"]


def test_gc_leaves_the_drafts_of_writers(root: Path, actions: list[PreparedAction]) -> None:
    """A file that another process is about to rename is not taken from it."""
    draft = root / "v1" / "cas" / "00" / ".draft"
    draft.parent.mkdir(exist_ok=True)
    draft.write_bytes(b"x")
    recent = time.time() - 600
    os.utime(draft, (recent, recent))
    Cache(root, limits=Limits(0)).gc()
    assert draft.exists()


def test_store_evicts_above_the_cap(root: Path, actions: list[PreparedAction]) -> None:
    """A store by a later process brings the cache under its cap, without being asked."""
    cache = Cache(root, limits=Limits(CAP))
    for index in range(STEPS, STEPS + 8):  # the estimate is a sample, so it may need some
        cache.store(make_action(str(index)), outputs_of(index))
    assert cache.statistics.evicted > 0
    assert cache.lookup(make_action(str(STEPS))) is not None


@pytest.mark.parametrize("removals", range(0, 30, 3))
def test_interrupted_eviction_leaves_no_result_without_blobs(
    root: Path,
    actions: list[PreparedAction],
    monkeypatch: pytest.MonkeyPatch,
    removals: int,
) -> None:
    """Killed after any removal, the cache has every blob that a result names."""
    remove, left = evict.remove, iter(range(removals))

    def interrupted(entry: evict.Entry) -> bool:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return remove(entry)

    monkeypatch.setattr(evict, "remove", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Cache(root, limits=Limits(0)).gc()
    check = Cache(root).verify()
    assert (check.damaged, check.dangling) == ((), ())


def test_entry_used_since_the_scan_stays(root: Path, actions: list[PreparedAction]) -> None:
    """A blob that a store counts on between the scan and the removal is not removed."""
    layout = Layout(root)
    entry = min(evict.scan_blobs(layout))
    os.utime(entry.path)
    assert evict._remove_unused(entry) is False
    assert Path(entry.path).exists()


def test_one_process_evicts_at_a_time(root: Path, actions: list[PreparedAction]) -> None:
    """While another process evicts, a collection does nothing instead of waiting."""
    with file_lock(root / "v1" / "locks" / "evict"):
        assert Cache(root, limits=Limits(0)).gc().evicted == 0


def test_vanishing_files_are_no_error(root: Path, actions: list[PreparedAction]) -> None:
    """An entry that somebody else removed first is not counted."""
    entries = evict.scan_blobs(Layout(root))
    assert all(evict.remove(entry) for entry in entries)
    assert not any(evict.remove(entry) or evict._remove_unused(entry) for entry in entries)


def test_estimate_is_near(root: Path) -> None:
    """Wherever the sample starts, the estimate is within four tenths of the size."""
    layout = Layout(root)
    for index in range(1500):
        path = layout.blob(digest_bytes(b"%d" % index))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    exact = usage(layout).size
    assert exact == 1500 * 4096
    assert all(abs(evict.estimate(layout) / exact - 1) < 0.4 for _ in range(20))


def test_gc_evicts_what_is_too_old(root: Path, actions: list[PreparedAction]) -> None:
    """Whatever room there is: of steps used 2 to 20 hours ago, those of half a day stay."""
    Cache(root, limits=Limits(age=11 * HOUR)).gc()
    assert found(root, actions) == [False] * 5 + [True] * 5


def test_gc_removes_the_drafts_of_interrupted_writers(root: Path) -> None:
    """In every folder, though nothing is full or old."""
    cache = Cache(root)
    cache.store(make_action(), OUTPUTS)
    drafts = [root / "v1" / name for name in (".statistics.x", "cas/00/.blob.x", "runs/.run.x")]
    for path in drafts:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    assert cache.gc().evicted == len(drafts)
    assert not any(path.exists() for path in drafts)


def test_old_entries_go_once_a_day(root: Path, actions: list[PreparedAction]) -> None:
    """A build that stores something evicts, unless one did so today."""
    limits = Limits(age=11 * HOUR)
    Cache(root).gc()
    Cache(root, limits=limits).store(make_action("new"), OUTPUTS)
    assert all(result_path(root, action).exists() for action in actions)
    os.utime(root / "v1/swept", (0, 0))
    Cache(root, limits=limits).store(make_action("newer"), OUTPUTS)
    assert found(root, actions) == [False] * 5 + [True] * 5
