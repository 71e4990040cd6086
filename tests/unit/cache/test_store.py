"""Blobs on disk: what comes out is what went in, or nothing."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.cache.layout import Layout
from mochi_rules.cache.statistics import Recorder
from mochi_rules.cache.store import EMPTY, ContentStore, set_aside

from .samples import blob_path, overwrite

DATA = b"\x00asm" * 500
DIGEST = digest_bytes(DATA)


@pytest.fixture
def store(root: Path, recorder: Recorder) -> ContentStore:
    """Return a store that holds DATA."""
    store = ContentStore(Layout(root), recorder)
    store.put(DIGEST, DATA)
    return store


def test_blob_comes_back(store: ContentStore) -> None:
    """What is put is got."""
    assert store.get(DIGEST) == DATA


def test_absent_blob_is_none(store: ContentStore, recorder: Recorder) -> None:
    """A blob that was never put is not there, and that is no trouble."""
    assert store.get(digest_bytes(b"other")) is None
    assert recorder.warnings == ()


def test_empty_blob_is_always_there(store: ContentStore, root: Path) -> None:
    """The empty blob is never stored and always found."""
    store.put(EMPTY, b"")
    assert store.get(EMPTY) == b""
    assert not blob_path(root, EMPTY).exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_blob_is_read_only(store: ContentStore, root: Path) -> None:
    """An editor or a compiler cannot change a blob by mistake."""
    assert stat.S_IMODE(blob_path(root, DIGEST).stat().st_mode) & 0o222 == 0


def test_blob_is_written_once(store: ContentStore, recorder: Recorder) -> None:
    """Putting the same blob again writes nothing."""
    store.put(DIGEST, DATA)
    assert recorder.counted.bytes_written == len(DATA)


DAMAGE = {
    "truncated": DATA[:-1],
    "empty": b"",
    "longer": DATA + b"\0",
    "one bit flipped": DATA[:99] + bytes([DATA[99] ^ 1]) + DATA[100:],
    "other content": bytes(len(DATA)),
}


@pytest.mark.parametrize("data", DAMAGE.values(), ids=DAMAGE)
def test_damaged_blob_is_not_returned(store: ContentStore, root: Path, data: bytes) -> None:
    """No byte that is not the blob's own ever comes out."""
    overwrite(blob_path(root, DIGEST), data)
    assert store.get(DIGEST) is None


@pytest.mark.parametrize("data", DAMAGE.values(), ids=DAMAGE)
def test_damaged_blob_is_not_placed(
    store: ContentStore, root: Path, tmp_path: Path, data: bytes
) -> None:
    """A copy is verified as it is made; a wrong one leaves nothing behind."""
    overwrite(blob_path(root, DIGEST), data)
    target = tmp_path / "a"
    assert store.place_all([(DIGEST, target, False)]) is False
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_damaged_blob_goes_to_quarantine(
    store: ContentStore, root: Path, recorder: Recorder
) -> None:
    """A damaged blob is set aside, counted and reported."""
    overwrite(blob_path(root, DIGEST), DAMAGE["other content"])
    store.get(DIGEST)
    (aside,) = (root / "v1" / "quarantine").iterdir()
    assert aside.read_bytes() == DAMAGE["other content"]
    assert not blob_path(root, DIGEST).exists()
    assert recorder.counted.corrupted == 1
    assert [warning.code for warning in recorder.warnings] == ["K006"]


def test_damaged_blob_is_counted_once(store: ContentStore, root: Path, recorder: Recorder) -> None:
    """After quarantine, the blob is simply absent."""
    overwrite(blob_path(root, DIGEST), b"")
    assert [store.get(DIGEST), store.get(DIGEST)] == [None, None]
    assert recorder.counted.corrupted == 1


def test_truncated_blob_is_written_again(store: ContentStore, root: Path) -> None:
    """A put mends a blob whose size is wrong."""
    overwrite(blob_path(root, DIGEST), DATA[:7])
    store.put(DIGEST, DATA)
    assert store.get(DIGEST) == DATA


def test_blob_that_is_a_directory_is_an_error(root: Path, recorder: Recorder) -> None:
    """What the file system does not give is a miss with a warning."""
    blob_path(root, DIGEST).mkdir(parents=True)
    assert ContentStore(Layout(root), recorder).get(DIGEST) is None
    assert recorder.counted.errors == 1
    assert [warning.code for warning in recorder.warnings] == ["K007"]


def test_disk_that_fails_under_a_read_is_an_error(
    store: ContentStore, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blob that opens and cannot be read is a miss, and nothing is placed."""

    class Failing(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(store, "_open", lambda *_: Failing())
    assert store.get(DIGEST) is None
    assert store.place_all([(DIGEST, tmp_path / "a", False)]) is False
    assert recorder.counted.errors == 2
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


def test_damaged_blob_that_cannot_be_moved_is_refused_again(
    store: ContentStore, root: Path, recorder: Recorder
) -> None:
    """Without a quarantine the damaged blob stays, and no read ever returns it."""
    (root / "v1" / "quarantine").write_text("")
    overwrite(blob_path(root, DIGEST), bytes(len(DATA)))
    assert [store.get(DIGEST), store.get(DIGEST)] == [None, None]
    assert recorder.counted.corrupted == 2


def test_damaged_blob_that_another_process_moved_is_not_counted(
    root: Path, recorder: Recorder
) -> None:
    """Of two processes that find the damage, one counts it."""
    set_aside(blob_path(root, DIGEST), Layout(root), recorder)
    assert recorder.counted.corrupted == 0


def test_claimed_size_does_not_take_memory(store: ContentStore) -> None:
    """A digest that claims a huge size is only wrong."""
    assert store.get(Digest(DIGEST.hash, 1 << 60)) is None


def test_huge_file_is_not_read(store: ContentStore, root: Path) -> None:
    """A blob that grew to a terabyte is damaged; it does not fill the memory."""
    path = blob_path(root, DIGEST)
    path.chmod(0o644)
    os.truncate(path, 1 << 40)
    assert store.get(DIGEST) is None


def test_huge_file_is_not_placed(store: ContentStore, root: Path, tmp_path: Path) -> None:
    """A blob that grew to a terabyte is damaged; it does not fill the disk of the build."""
    path = blob_path(root, DIGEST)
    path.chmod(0o644)
    os.truncate(path, 1 << 40)
    assert store.place_all([(DIGEST, tmp_path / "a", False)]) is False


def test_put_notes_that_a_blob_is_in_use(store: ContentStore, root: Path) -> None:
    """A blob that is put again counts as just used, so that eviction does not take it."""
    os.utime(blob_path(root, DIGEST), (0, 0))
    store.put(DIGEST, DATA)
    assert blob_path(root, DIGEST).stat().st_mtime > 0


def test_placed_file_has_the_content(store: ContentStore, tmp_path: Path) -> None:
    """A blob is placed as a file; its directory is made."""
    target = tmp_path / "deep" / "er" / "a"
    assert store.place_all([(DIGEST, target, False)]) is True
    assert target.read_bytes() == DATA


def test_placed_file_replaces_another(store: ContentStore, tmp_path: Path) -> None:
    """A file of an earlier build gives way, even a read-only one."""
    target = tmp_path / "a"
    target.write_bytes(b"old")
    target.chmod(0o444)
    assert store.place_all([(DIGEST, target, False)]) is True
    assert target.read_bytes() == DATA


def test_empty_file_is_placed(store: ContentStore, tmp_path: Path) -> None:
    """The empty blob is placed though it is not stored."""
    assert store.place_all([(EMPTY, tmp_path / "a", False)]) is True
    assert (tmp_path / "a").read_bytes() == b""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("executable", "bits"), [(False, 0o666), (True, 0o777)])
def test_placed_file_has_the_permissions_of_a_new_file(
    store: ContentStore, tmp_path: Path, bits: int, *, executable: bool
) -> None:
    """A placed file is writable and, where asked, executable, less the umask."""
    umask = os.umask(0o027)
    try:
        store.place_all([(DIGEST, tmp_path / "a", executable)])
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == bits & ~0o027


def test_placed_file_is_no_link(store: ContentStore, root: Path, tmp_path: Path) -> None:
    """A tool that edits its file in place does not change the cache."""
    store.place_all([(DIGEST, tmp_path / "a", False)])
    with (tmp_path / "a").open("r+b") as file:
        file.write(b"stripped")
    assert store.get(DIGEST) == DATA


def test_files_are_placed_all_or_none(store: ContentStore, tmp_path: Path) -> None:
    """One absent blob leaves every destination as it was."""
    old = tmp_path / "old"
    old.write_bytes(b"old")
    files = [(DIGEST, old, False), (digest_bytes(b"absent"), tmp_path / "new", False)]
    assert store.place_all(files) is False
    assert old.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "old"]


def test_destination_that_cannot_be_written_raises(store: ContentStore, tmp_path: Path) -> None:
    """Trouble in the build tree is not trouble of the cache: it is raised, and nothing is left."""
    (tmp_path / "out" / "a").mkdir(parents=True)
    with pytest.raises(OSError, match="out/a"):
        store.place_all([(DIGEST, tmp_path / "out" / "a", False)])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


@pytest.mark.slow
def test_placed_file_shares_blocks(tmp_path: Path) -> None:
    """Where the file system has reference links, a placed file takes no space of its own."""
    for tool in ("mkfs.btrfs", "mount"):
        if not shutil.which(tool):
            pytest.skip(f"needs {tool}")
    image, mounted = tmp_path / "image", tmp_path / "mounted"
    with image.open("wb") as file:
        file.truncate(120 << 20)
    mounted.mkdir()
    subprocess.run(["mkfs.btrfs", "-q", image], check=True, capture_output=True)
    if subprocess.run(["mount", "-o", "loop", image, mounted], check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        data = os.urandom(30 << 20)
        store = ContentStore(Layout(mounted / "cache"), Recorder())
        store.put(digest_bytes(data), data)
        os.sync()
        before = shutil.disk_usage(mounted).free
        assert store.place_all([(digest_bytes(data), mounted / "placed", False)]) is True
        os.sync()
        assert before - shutil.disk_usage(mounted).free < 10 << 20
        assert (mounted / "placed").read_bytes() == data
    finally:
        subprocess.run(["umount", mounted], check=True)


def test_put_raises_what_the_disk_says(
    store: ContentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails is the caller's to judge, and leaves no draft."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    data = b"more"
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.put(digest_bytes(data), data)
    monkeypatch.undo()
    assert store.get(digest_bytes(data)) is None
