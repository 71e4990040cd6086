"""The cache as a whole: hits, misses, and a build that goes on whatever the disk does."""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError, Severity
from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.action_cache import ActionCache
from mochi_rules.cache.cache import Cache, find
from mochi_rules.cache.directory import Layout
from mochi_rules.cache.messages import (
    Action,
    ActionResult,
    Command,
    OutputFile,
    OutputSymlink,
    decode,
)
from mochi_rules.cache.statistics import Recorder, Statistics

from .samples import OUTPUTS, blob_path, make_action, overwrite, result_path

if TYPE_CHECKING:
    from mochi_rules.base.digest import Digest

ACTION = make_action()
CWASM, MAP = OUTPUTS


def codes(cache: Cache) -> list[str]:
    """Return the codes of the warnings, all of which must be warnings."""
    assert all(warning.severity is Severity.WARNING for warning in cache.warnings)
    return [warning.code for warning in cache.warnings]


@pytest.fixture
def full(root: Path) -> Cache:
    """Return a new cache on a directory where another one stored the outputs of ACTION."""
    Cache(root).store(ACTION, OUTPUTS, stderr=b"said", seconds=1.5)
    return Cache(root)


def test_nothing_is_found_in_a_new_cache(cache: Cache, root: Path) -> None:
    """A lookup is a miss, and makes no directory."""
    assert cache.lookup(ACTION) is None
    assert cache.statistics == Statistics(misses=1)
    assert not root.exists()


def test_what_is_small_is_at_hand(full: Cache) -> None:
    """It is found as by a lookup, and counted as one."""
    assert full.at_hand(ACTION) == full.lookup(ACTION)
    assert full.statistics.hits == 2


def test_what_is_large_is_not_at_hand(cache: Cache) -> None:
    """Others should not wait while it is read; nothing is counted yet."""
    large = dict.fromkeys(OUTPUTS, bytes(1 << 20))
    cache.store(ACTION, large)
    assert cache.at_hand(ACTION) is None
    assert (cache.statistics.hits, cache.statistics.misses) == (0, 0)
    assert cache.lookup(ACTION) is not None


def test_stored_outputs_are_found(full: Cache) -> None:
    """A lookup returns every output with its content."""
    hit = full.lookup(ACTION)
    assert hit is not None
    assert hit.outputs == OUTPUTS


def test_hit_tells_what_the_step_said(full: Cache) -> None:
    """What a step printed and how long it took comes back with its outputs."""
    hit = full.lookup(ACTION)
    assert hit is not None
    assert (hit.result.stderr_raw, hit.result.seconds) == (b"said", 1.5)


def test_outputs_are_found_after_the_process(cache: Cache, full: Cache) -> None:
    """A second lookup of the same object and one of another object agree."""
    assert cache.lookup(ACTION) == full.lookup(ACTION)


def test_step_can_be_read_back(full: Cache, root: Path) -> None:
    """The Action and its Command are in the cache, so that a remote cache can have them."""
    action = decode(Action, blob_path(root, ACTION.key).read_bytes())
    command = decode(Command, blob_path(root, action.command_digest).read_bytes())
    assert command.arguments[0] == "aot"


def test_other_step_is_not_found(full: Cache) -> None:
    """Another key is another entry."""
    assert full.lookup(make_action("other")) is None


def test_counters_follow(full: Cache) -> None:
    """Hits, misses, stores and bytes are counted."""
    size = sum(map(len, OUTPUTS.values()))
    full.lookup(ACTION)
    full.lookup(ACTION)
    full.lookup(make_action("other"))
    full.store(make_action("other"), OUTPUTS)
    counted = full.statistics
    assert (counted.hits, counted.misses, counted.stores) == (2, 1, 1)
    assert counted.bytes_read == 2 * size
    assert 0 < counted.bytes_written < size  # the outputs are there, only messages are new


def damage_blob(root: Path) -> None:
    """Change an output."""
    overwrite(blob_path(root, digest_bytes(OUTPUTS[MAP])), b"mop")


def truncate_blob(root: Path) -> None:
    """Cut an output off."""
    overwrite(blob_path(root, digest_bytes(OUTPUTS[CWASM])), OUTPUTS[CWASM][:-1])


def remove_blob(root: Path) -> None:
    """Remove an output."""
    blob_path(root, digest_bytes(OUTPUTS[MAP])).unlink()


def truncate_result(root: Path) -> None:
    """Cut the result off."""
    overwrite(result_path(root, ACTION), result_path(root, ACTION).read_bytes()[:-1])


def remove_result(root: Path) -> None:
    """Remove the result."""
    result_path(root, ACTION).unlink()


def put_folder_for_blob(root: Path) -> None:
    """Put a folder in the place of an output."""
    path = blob_path(root, digest_bytes(OUTPUTS[MAP]))
    path.unlink()
    (path / "inside").mkdir(parents=True)


def put_loop_for_result(root: Path) -> None:
    """Put a link to itself in the place of the result."""
    result_path(root, ACTION).unlink()
    result_path(root, ACTION).symlink_to(result_path(root, ACTION))


HARMS = [
    damage_blob,
    truncate_blob,
    remove_blob,
    truncate_result,
    remove_result,
    put_folder_for_blob,
    put_loop_for_result,
]


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_harmed_entry_is_a_miss(full: Cache, root: Path, harm: type) -> None:
    """No output is returned unless all of them are right."""
    harm(root)
    assert full.lookup(ACTION) is None


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_harmed_entry_is_mended(full: Cache, root: Path, harm: type) -> None:
    """After the miss, the step runs and stores, and the next lookup is a hit."""
    harm(root)
    full.lookup(ACTION)
    full.store(ACTION, OUTPUTS)
    hit = full.lookup(ACTION)
    assert hit is not None
    assert hit.outputs == OUTPUTS


def result_of(paths: tuple[str, ...], exit_code: int = 0) -> ActionResult:
    """Return a result with some of OUTPUTS."""
    files = [OutputFile(path, digest_bytes(OUTPUTS[path])) for path in paths]
    return ActionResult(tuple(files), exit_code=exit_code)


FOREIGN = {
    "an output less": result_of((CWASM,)),
    "an output twice": result_of((CWASM, MAP, MAP)),
    "a failure": result_of((CWASM, MAP), exit_code=1),
    "a link for a file": ActionResult(
        result_of((CWASM,)).output_files, output_symlinks=(OutputSymlink(MAP, "elsewhere"),)
    ),
}


@pytest.mark.parametrize("result", FOREIGN.values(), ids=FOREIGN)
def test_result_that_is_not_the_steps_is_a_miss(
    full: Cache, root: Path, result: ActionResult
) -> None:
    """Only a success with exactly the declared outputs is a hit."""
    ActionCache(Layout(root), Recorder()).put(ACTION.key, result)
    assert full.lookup(ACTION) is None


def test_outputs_must_be_those_declared(cache: Cache) -> None:
    """Storing another set of outputs is a mistake of the rule, and said so."""
    with pytest.raises(ValueError, match=r"hello\.map"):
        cache.store(ACTION, {CWASM: b""})


def test_cache_that_is_off_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no root, everything works and nothing is written or warned about."""
    monkeypatch.chdir(tmp_path)
    cache = Cache(None)
    cache.store(ACTION, OUTPUTS)
    with cache.single_flight(ACTION.key):
        assert cache.lookup(ACTION) is None
    cache.flush()
    assert (cache.gc(), cache.verify().checked, cache.clear().entries) == (Statistics(), 0, 0)
    assert cache.report().usage.size == 0
    assert cache.warnings == ()
    assert list(tmp_path.iterdir()) == []


def test_root_stays_when_the_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative root is that of the directory where the cache was opened."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    cache = Cache(Path("cache"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    cache.store(ACTION, OUTPUTS)
    assert (tmp_path / "cache" / "format").exists()


def test_find_asks_any_pair_of_stores() -> None:
    """Lookups are written against the Store protocol: a dictionary is accepted."""

    class Memory(dict["Digest", object]):
        def put(self, digest: Digest, value: object) -> None:
            self[digest] = value

    results, blobs = Memory(), Memory()
    results.put(ACTION.key, result_of((CWASM, MAP)))
    assert find(ACTION, results, blobs) is None
    for data in OUTPUTS.values():
        blobs.put(digest_bytes(data), data)
    hit = find(ACTION, results, blobs)
    assert hit is not None
    assert hit.outputs == OUTPUTS


UNUSABLE = {
    "file": (lambda root: root.write_text(""), "K001"),
    "loop of links": (lambda root: root.symlink_to(root), "K001"),
    "link to nothing": (lambda root: root.symlink_to("missing"), "K001"),
    "parent is a file": (lambda root: root.parent.rmdir() or root.parent.write_text(""), "K001"),
    "other files": (lambda root: (root / "letters").mkdir(parents=True), "K004"),
    "unknown format": (
        lambda root: root.mkdir() or (root / "format").write_text("mochi_rules cache 9"),
        "K003",
    ),
}


@pytest.mark.parametrize(("make", "code"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_root_is_as_good_as_off(tmp_path: Path, make: type, code: str) -> None:
    """The build goes on without a cache, and one warning says why."""
    root = tmp_path / "parent" / "cache"
    root.parent.mkdir()
    make(root)
    before = sorted(tmp_path.rglob("*"))
    cache = Cache(root)
    for _ in range(2):
        with cache.single_flight(ACTION.key):
            assert cache.lookup(ACTION) is None
            cache.store(ACTION, OUTPUTS)
    cache.flush()
    assert codes(cache) == [code]
    assert cache.statistics.skipped == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("verb", ["report", "gc", "verify", "clear"])
def test_unusable_root_is_an_error_of_maintenance(root: Path, verb: str) -> None:
    """A user who asks for the cache itself gets the error."""
    root.write_text("")
    with pytest.raises(MochiError) as caught:
        getattr(Cache(root), verb)()
    assert caught.value.diagnostics[0].severity is Severity.ERROR
    assert caught.value.exit_status == 3


def test_read_only_cache_reads(full: Cache, root: Path) -> None:
    """A cache opened read-only finds what is there, and counts what it does not store."""
    cache = Cache(root, read_only=True)
    assert cache.lookup(ACTION) is not None
    cache.store(make_action("other"), OUTPUTS)
    assert cache.lookup(make_action("other")) is None
    assert cache.statistics.skipped == 1
    assert cache.warnings == ()


def test_read_only_cache_is_not_made(root: Path) -> None:
    """A cache opened read-only that is not there stays so."""
    cache = Cache(root, read_only=True)
    assert cache.lookup(ACTION) is None
    cache.store(ACTION, OUTPUTS)
    assert not root.exists()


@pytest.mark.parametrize("verb", ["gc", "verify", "clear"])
def test_read_only_cache_is_not_maintained(full: Cache, root: Path, verb: str) -> None:
    """What would write is refused where the cache is read-only."""
    with pytest.raises(MochiError, match="K005"):
        getattr(Cache(root, read_only=True), verb)()


def test_failed_write_ends_writing(full: Cache, root: Path) -> None:
    """After one write that failed the cache is only read: one warning, no second attempt."""
    (root / "v1" / "cas").rename(root / "v1" / "was")
    (root / "v1" / "cas").write_text("")
    full.store(make_action("other"), OUTPUTS)
    (root / "v1" / "cas").unlink()
    (root / "v1" / "was").rename(root / "v1" / "cas")
    full.store(make_action("other"), OUTPUTS)
    assert full.lookup(ACTION) is not None
    assert full.lookup(make_action("other")) is None
    assert codes(full) == ["K005"]
    assert (full.statistics.errors, full.statistics.skipped) == (1, 2)


def test_removed_directory_does_not_spoil_the_cache(full: Cache, root: Path) -> None:
    """`rm -rf` of the cache during a build costs its entries, and nothing for the next build."""
    full.lookup(ACTION)
    for path in sorted(root.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    root.rmdir()
    full.store(ACTION, OUTPUTS)
    later = Cache(root)
    later.store(ACTION, OUTPUTS)
    assert later.lookup(ACTION) is not None
    assert later.warnings == ()


def test_threads_produce_once(cache: Cache) -> None:
    """Of many threads that want one key, one runs the step and the others find its outputs."""
    produced = []
    found = []

    def work() -> None:
        with cache.single_flight(ACTION.key):
            if cache.lookup(ACTION, again=True) is None:
                produced.append(1)
                time.sleep(0.05)
                cache.store(ACTION, OUTPUTS)
            else:
                found.append(1)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(produced), len(found)) == (1, 7)


def test_second_look_is_the_same_lookup(cache: Cache, root: Path) -> None:
    """A step that finds in its flight what it missed before is one hit and no miss."""
    assert cache.lookup(ACTION) is None
    assert cache.lookup(ACTION, again=True) is None
    Cache(root).store(ACTION, OUTPUTS)
    assert cache.lookup(ACTION, again=True) is not None
    assert (cache.statistics.hits, cache.statistics.misses) == (1, 0)


def test_other_keys_do_not_wait(cache: Cache) -> None:
    """Steps with different keys run at the same time."""
    with cache.single_flight(ACTION.key):
        thread = Thread(target=lambda: cache.single_flight(make_action("b").key).__enter__())
        thread.start()
        thread.join(10)
        assert not thread.is_alive()


def test_totals_add_up(full: Cache, root: Path) -> None:
    """The totals are those of all processes, each counted once however often it flushes."""
    full.lookup(ACTION)
    full.flush()
    full.flush()
    full.lookup(ACTION)
    later = Cache(root)
    later.lookup(make_action("other"))
    full.flush()
    assert later.report().statistics == Statistics(
        hits=2, misses=1, bytes_read=2 * sum(map(len, OUTPUTS.values()))
    )


def test_damaged_totals_start_again(full: Cache, root: Path) -> None:
    """A damaged file of totals is not an error."""
    (root / "v1" / "statistics").write_bytes(b"\xff\x00hits")
    full.lookup(ACTION)
    assert full.report().statistics.hits == 1


def test_totals_without_a_lock_are_left_alone(full: Cache, root: Path) -> None:
    """Where no lock can be had, counts are lost rather than mixed."""
    full.lookup(ACTION)
    (root / "v1" / "locks").mkdir(exist_ok=True)
    (root / "v1" / "locks").rmdir()
    (root / "v1" / "locks").write_text("")
    full.flush()
    assert not (root / "v1" / "statistics").exists()
    assert full.warnings == ()


def test_totals_that_cannot_be_written_are_a_warning(full: Cache, root: Path) -> None:
    """A flush never fails a build."""
    full.lookup(ACTION)
    (root / "v1" / "statistics").mkdir()
    full.flush()
    assert codes(full) == ["K005"]


def test_hit_keeps_an_old_entry(full: Cache, root: Path) -> None:
    """A hit makes the result and every blob of it young, at most once an hour."""
    paths = [path for path in (root / "v1").rglob("*") if path.is_file() and "." not in path.name]
    past = time.time() - 7200
    for path in paths:
        os.utime(path, (past, past))
    full.lookup(ACTION)
    assert len(paths) == 7  # outputs, directories, action, command, result
    assert all(path.stat().st_mtime > past + 3600 for path in paths)


def test_hit_leaves_a_young_entry(full: Cache, root: Path) -> None:
    """Within the hour a hit writes nothing."""
    recent = time.time() - 600
    for path in (root / "v1").rglob("*"):
        os.utime(path, (recent, recent))
    full.lookup(ACTION)
    assert result_path(root, ACTION).stat().st_mtime == pytest.approx(recent, abs=1)
