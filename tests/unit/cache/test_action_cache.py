"""Action results on disk: whole and unchanged, or not there."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.action_cache import ActionCache
from mochi_rules.cache.layout import Layout
from mochi_rules.cache.messages import ActionResult, OutputFile, encode

from .samples import overwrite

if TYPE_CHECKING:
    from pathlib import Path

    from mochi_rules.cache.statistics import Recorder

KEY = digest_bytes(b"an action")
RESULT = ActionResult((OutputFile("a", digest_bytes(b"a")), OutputFile("b", digest_bytes(b"b"))))


@pytest.fixture
def results(root: Path, recorder: Recorder) -> ActionCache:
    """Return an action cache that holds RESULT."""
    results = ActionCache(Layout(root), recorder)
    results.put(KEY, RESULT)
    return results


@pytest.fixture
def path(root: Path) -> Path:
    """Return where RESULT lies."""
    return root / "v1" / "ac" / KEY.hash[:2] / KEY.hash


def test_result_comes_back(results: ActionCache) -> None:
    """What is put is got."""
    assert results.get(KEY) == RESULT


def test_file_holds_the_bytes_of_the_api(results: ActionCache, path: Path) -> None:
    """The file is what a remote cache sends, to the byte: nothing is wrapped around it."""
    assert path.read_bytes() == encode(RESULT)


def test_absent_result_is_none(results: ActionCache, recorder: Recorder) -> None:
    """A result that was never put is not there, and that is no trouble."""
    assert results.get(digest_bytes(b"another action")) is None
    assert recorder.counted.corrupted == 0


DATA = encode(RESULT)
DAMAGE = {
    "truncated between fields": encode(ActionResult(RESULT.output_files[:1])),
    "truncated within a field": DATA[:-3],
    "empty": b"",
    "hash of an output changed": DATA.replace(b"3e23", b"3e24"),
    "field appended": DATA + b"\x20\x00",
    "garbage": bytes(range(200)),
}


@pytest.mark.parametrize("data", DAMAGE.values(), ids=DAMAGE)
def test_damaged_result_is_set_aside(
    results: ActionCache, root: Path, path: Path, recorder: Recorder, data: bytes
) -> None:
    """Any change of the file is noticed, also one that leaves a well-formed message."""
    assert data != DATA
    overwrite(path, data)
    assert results.get(KEY) is None
    assert not path.exists()
    assert [aside.name for aside in (root / "v1" / "quarantine").iterdir()] == [f"ac-{KEY.hash}"]
    assert recorder.counted.corrupted == 1


def test_result_of_another_action_is_damaged(results: ActionCache, path: Path) -> None:
    """A file that was copied to another name is not the result of that action."""
    other = digest_bytes(b"another action")
    wrong = path.parents[1] / other.hash[:2] / other.hash
    wrong.parent.mkdir(exist_ok=True)
    wrong.write_bytes(path.read_bytes())
    assert results.get(other) is None


def test_sealed_garbage_is_set_aside(results: ActionCache, root: Path, path: Path) -> None:
    """Bytes that nobody can decode are damaged though their seal fits."""
    overwrite(path, b"\xff")
    Layout(root).seal(KEY, digest_bytes(b"\xff")).touch()
    assert results.get(KEY) is None
    assert not path.exists()


def test_huge_file_is_not_read(results: ActionCache, path: Path) -> None:
    """A result of gigabytes is damaged; it does not fill the memory."""
    path.chmod(0o644)
    os.truncate(path, 1 << 40)
    assert results.get(KEY) is None


def test_either_of_two_writers_leaves_a_whole_result(results: ActionCache, path: Path) -> None:
    """Two writers with different bytes do not break each other, whoever comes last."""
    first = path.read_bytes()
    slower = ActionResult(RESULT.output_files, stdout_raw=b"warning")
    results.put(KEY, slower)
    assert results.get(KEY) == slower
    overwrite(path, first)
    assert results.get(KEY) == RESULT


def test_result_that_is_being_removed_is_absent(
    results: ActionCache, root: Path, path: Path, recorder: Recorder
) -> None:
    """Between the removal of seals and of results there is a miss, and no alarm."""
    for seal in path.parent.glob("*.*"):
        seal.unlink()
    assert results.get(KEY) is None
    assert recorder.counted.corrupted == 0


def test_result_that_was_replaced_is_not_damaged(results: ActionCache, path: Path) -> None:
    """A reader that still holds the file of before does not take the new one for damaged."""
    with path.open("rb") as before:
        results.put(KEY, RESULT)
        assert results._is_damaged(KEY, before) is False


def test_unreadable_result_is_an_error(root: Path, path: Path, recorder: Recorder) -> None:
    """What the file system does not give is a miss with a warning."""
    path.mkdir(parents=True)
    assert ActionCache(Layout(root), recorder).get(KEY) is None
    assert [warning.code for warning in recorder.warnings] == ["K007"]


def test_use_is_noted_once_an_hour(results: ActionCache, path: Path) -> None:
    """A result is due for a note after an hour, and not again after it."""
    assert not results.is_due(KEY)
    past = time.time() - 3700
    os.utime(path, (past, past))
    assert results.is_due(KEY)
    results.touch(KEY)
    assert not results.is_due(KEY)
