"""Blobs on disk: what comes out is what went in, or nothing."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.cache.directory import Layout
from mochi_rules.cache.store import EMPTY, ContentStore, set_aside

from .samples import blob_path, overwrite

if TYPE_CHECKING:
    from pathlib import Path

    from mochi_rules.cache.statistics import Recorder

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
    """A blob that was never put is not there, and that is not an error."""
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
    """A put repairs a blob whose size is wrong."""
    overwrite(blob_path(root, DIGEST), DATA[:7])
    store.put(DIGEST, DATA)
    assert store.get(DIGEST) == DATA


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


def test_put_notes_that_a_blob_is_in_use(store: ContentStore, root: Path) -> None:
    """A blob that is put again counts as just used, so that eviction does not take it."""
    os.utime(blob_path(root, DIGEST), (0, 0))
    store.put(DIGEST, DATA)
    assert blob_path(root, DIGEST).stat().st_mtime > 0


def test_put_raises_what_the_disk_says(
    store: ContentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails is the caller's to judge, and leaves no draft."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    data = b"more"
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.put(digest_bytes(data), data)
    monkeypatch.undo()
    assert store.get(digest_bytes(data)) is None
