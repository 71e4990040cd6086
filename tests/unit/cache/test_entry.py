"""Files of a cache: whatever lies there, a read ends, and takes no more memory than it may."""

from __future__ import annotations

import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.cache import Cache
from mochi_rules.cache.entry import (
    ForeignError,
    UnfitError,
    make_folder,
    read_entry,
    seal,
    unseal,
    write_entry,
)

from .samples import OUTPUTS, blob_path, make_action, result_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")

ACTION = make_action()
OUTPUT = digest_bytes(OUTPUTS["app/hello.cwasm"])
STRANGER = 4321  # a user id that is neither ours nor root's

TRAPS: dict[str, Callable[[Path], object]] = {
    "FIFO": os.mkfifo,
    "endless device": lambda path: path.symlink_to("/dev/zero"),
    "loop of links": lambda path: path.symlink_to(path),
    "link to the right file": lambda path: path.symlink_to(path.rename(path.with_name("moved"))),
    "folder": lambda path: path.mkdir(),
    "huge file": lambda path: path.touch() or os.truncate(path, 1 << 40),
    "no permission": lambda path: path.touch(0),
}
PLACES: dict[str, Callable[[Path], Path]] = {
    "blob": lambda root: blob_path(root, OUTPUT),
    "result": lambda root: result_path(root, ACTION),
}


def set_trap(path: Path, trap: str) -> None:
    """Put something else in the place of a file."""
    if "right file" not in trap:
        path.unlink()
    TRAPS[trap](path)


def finish(action: Callable[[], object]) -> object:
    """Return what a call returns, which must not wait."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(action()), daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive(), "it waits"
    return results[0]


@pytest.fixture
def full(root: Path) -> Cache:
    """Return a cache that holds the outputs of ACTION."""
    Cache(root).store(ACTION, OUTPUTS)
    return Cache(root)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("trap", TRAPS)
def test_trap_is_a_miss_and_heals(full: Cache, root: Path, trap: str, place: str) -> None:
    """A build is warned, makes the outputs again, and finds them from then on."""
    path = PLACES[place](root)
    set_trap(path, trap)
    assert finish(lambda: full.lookup(ACTION)) is None
    assert [warning.code for warning in full.warnings] in (["K006"], ["K007"])
    full.store(ACTION, OUTPUTS)
    assert Cache(root).lookup(ACTION) is not None


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("trap", TRAPS)
def test_verify_finds_a_trap(full: Cache, root: Path, trap: str, place: str) -> None:
    """What a build would refuse is named, and is not there afterwards."""
    path = PLACES[place](root)
    set_trap(path, trap)
    assert path.relative_to(root).as_posix() in finish(full.verify).damaged  # type: ignore[attr-defined]
    assert Cache(root).verify().damaged == ()


@pytest.mark.parametrize(
    "name", ["format", "v1/statistics", "v1/locks", "v1/runs", "v1/quarantine"]
)
@pytest.mark.parametrize("trap", ["FIFO", "endless device"])
def test_trap_in_another_file_hangs_nothing(full: Cache, root: Path, name: str, trap: str) -> None:
    """A build goes on, whichever file of the cache is something else."""
    full.flush()
    (root / name).unlink(missing_ok=True) if not (root / name).is_dir() else (root / name).rmdir()
    TRAPS[trap](root / name)
    assert finish(lambda: _use(Cache(root)))


def _use(cache: Cache) -> bool:
    with cache.single_flight(ACTION.key):
        cache.lookup(ACTION)
        cache.store(make_action("other"), OUTPUTS)
    cache.flush()
    return True


SPOILED = {
    "others may write": lambda path: path.chmod(0o777),
    "the group may write": lambda path: path.chmod(0o775),
    "of another user": lambda path: os.chown(path, STRANGER, -1),
}


@pytest.mark.parametrize("part", [".", "v1", "v1/cas", "v1/ac", "blob", "result"])
@pytest.mark.parametrize("spoil", SPOILED)
def test_folder_that_others_can_write_is_not_read(
    full: Cache, root: Path, part: str, spoil: str
) -> None:
    """Nobody runs code as another user by what he lays into a cache."""
    if spoil == "of another user" and os.geteuid() != 0:
        pytest.skip("needs to be root, to give a folder away")
    folder = PLACES[part](root).parent if part in PLACES else root / part
    SPOILED[spoil](folder)
    assert full.lookup(ACTION) is None
    assert [warning.code for warning in full.warnings] == ["K002"]
    assert full.warnings[0].help


def test_sticky_root_is_a_cache_of_the_first_user(full: Cache, root: Path) -> None:
    """In a folder like `/tmp`, the one who made the cache has it; nobody else trusts it."""
    root.chmod(0o1777)
    assert full.lookup(ACTION) is not None
    if os.geteuid() != 0:
        pytest.skip("needs to be root, to become two users")
    os.chown(root / "v1", STRANGER, -1)
    other = Cache(root)
    assert other.lookup(ACTION) is None
    assert [warning.code for warning in other.warnings] == ["K002"]


def test_folders_are_private_under_any_umask(root: Path) -> None:
    """A umask that lets the group write makes no cache that is refused."""
    umask = os.umask(0)
    try:
        cache = Cache(root / "deep")
        _use(cache)
    finally:
        os.umask(umask)
    folders = [path for path in (root, *root.rglob("*")) if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o755}
    assert Cache(root / "deep").lookup(make_action("other")) is not None


def test_root_may_be_a_link(full: Cache, root: Path, tmp_path: Path) -> None:
    """People keep their caches on another disk."""
    (tmp_path / "link").symlink_to(root)
    assert Cache(tmp_path / "link").lookup(ACTION) is not None


def test_entry_of_the_limit_is_read(tmp_path: Path) -> None:
    """A limit is inclusive, and one byte more is refused."""
    write_entry(tmp_path / "a", b"1234")
    assert read_entry(tmp_path / "a", 4) == b"1234"
    with pytest.raises(UnfitError):
        read_entry(tmp_path / "a", 3)


def test_folder_of_others_is_an_error(tmp_path: Path) -> None:
    """The error says so, apart from those of the file system."""
    make_folder(tmp_path / "folder")
    write_entry(tmp_path / "folder" / "a", b"")
    (tmp_path / "folder").chmod(0o777)
    with pytest.raises(ForeignError):
        read_entry(tmp_path / "folder" / "a", 9)


@pytest.mark.parametrize("data", [b"", b"\n", seal("b", b"data"), seal("a", b"data")[:-1], b"data"])
def test_seal_of_something_else_is_refused(data: bytes) -> None:
    """A seal holds for one name and one content."""
    assert unseal("a", data) is None
    assert unseal("a", seal("a", b"data")) == b"data"
