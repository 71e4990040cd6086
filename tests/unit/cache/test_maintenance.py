"""Checking every entry, and removing all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.cache import Cache

from .samples import OUTPUTS, blob_path, make_action, overwrite, result_path

if TYPE_CHECKING:
    from pathlib import Path

ACTION = make_action()
MAP = digest_bytes(OUTPUTS["app/hello.map"])


@pytest.fixture
def full(cache: Cache) -> Cache:
    """Return a cache with the outputs of two steps."""
    cache.store(ACTION, OUTPUTS)
    cache.store(make_action("other"), OUTPUTS)
    return cache


def test_good_cache_is_verified(full: Cache) -> None:
    """Nothing is found in a cache that is right, and all of it was read."""
    check = full.verify()
    assert (check.damaged, check.dangling) == ((), ())
    assert check.checked == 2 + 2 * 3 + 2  # outputs; action, command and result; directories


def test_verify_of_no_cache_checks_nothing(cache: Cache, root: Path) -> None:
    """A cache that is not there is right, and is not made."""
    assert cache.verify().checked == 0
    assert not root.exists()


def test_verify_sets_a_damaged_blob_aside(full: Cache, root: Path) -> None:
    """A damaged blob is named and set aside, and the results that need it are removed."""
    path = blob_path(root, MAP)
    overwrite(path, b"mop")
    check = full.verify()
    assert check.damaged == (path.relative_to(root).as_posix(),)
    assert len(check.dangling) == 2
    assert full.verify().damaged == full.verify().dangling == ()
    assert full.statistics.corrupted == 1


def test_verify_sets_a_damaged_result_aside(full: Cache, root: Path) -> None:
    """A damaged result is named and set aside; the other stays."""
    path = result_path(root, ACTION)
    overwrite(path, b"\x20\x00")
    assert full.verify().damaged == (path.relative_to(root).as_posix(),)
    assert full.lookup(make_action("other")) is not None


def test_verify_names_an_unreadable_blob(full: Cache, root: Path) -> None:
    """What the file system does not give is named, and a warning says why."""
    path = blob_path(root, MAP)
    path.unlink()
    path.symlink_to(path)
    assert full.verify().damaged == (path.relative_to(root).as_posix(),)
    assert [warning.code for warning in full.warnings] == ["K007"]


def test_clear_removes_everything(full: Cache, root: Path) -> None:
    """After a clear no entry and no total is left, and the directory is still a cache."""
    full.flush()
    overwrite(blob_path(root, MAP), b"mop")
    full.lookup(ACTION)  # sets it aside
    size = full.report().usage.size
    removed = full.clear()
    assert removed.size == size > 0
    assert [path for path in (root / "v1").rglob("*") if path.is_file()] == []
    assert Cache(root).report().usage.size == 0
    full.store(ACTION, OUTPUTS)
    assert full.lookup(ACTION) is not None


def test_clear_leaves_a_directory_that_is_no_cache(root: Path) -> None:
    """A directory of the user's that was named by mistake loses nothing."""
    (root / "v1" / "cas" / "ab").mkdir(parents=True)
    (root / "letter").write_text("")
    with pytest.raises(Exception, match="K004"):
        Cache(root).clear()
    assert (root / "letter").exists()
