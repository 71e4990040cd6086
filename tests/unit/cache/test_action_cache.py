"""Action results on disk: whole and unchanged, or not there."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.action_cache import ActionCache
from mochi_rules.cache.directory import Layout
from mochi_rules.cache.entry import seal
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
    """Behind the seal is what a remote cache sends, to the byte."""
    assert path.read_bytes().partition(b"\n")[2] == encode(RESULT)


def test_absent_result_is_none(results: ActionCache, recorder: Recorder) -> None:
    """A result that was never put is not there, and that is not an error."""
    assert results.get(digest_bytes(b"another action")) is None
    assert recorder.counted.corrupted == 0


DATA = seal(KEY.hash, encode(RESULT))
DAMAGE = {
    "truncated between fields": DATA[: -len(encode(RESULT)) // 2],
    "truncated within a field": DATA[:-3],
    "empty": b"",
    "hash of an output changed": DATA.replace(b"3e23", b"3e24"),
    "field appended": DATA + b"\x20\x00",
    "garbage": bytes(range(200)),
    "sealed garbage": seal(KEY.hash, b"\xff"),
    "without a seal": encode(RESULT),
    "result of another action": seal(digest_bytes(b"another action").hash, encode(RESULT)),
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


def test_entry_is_one_file(results: ActionCache, path: Path) -> None:
    """It appears and goes at once, so that no reader takes half of one for a damaged one."""
    assert list(path.parent.iterdir()) == [path]


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
