"""Files are written whole, and nothing that is not a regular file is turned into one."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.files import read_input, write_through

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and FIFOs as POSIX has them")


def test_symlink_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    """Whoever has the old target open keeps reading the old bytes: it is a new file."""
    target, link = tmp_path / "deep" / "target", tmp_path / "link"
    target.parent.mkdir()
    target.write_bytes(b"old")
    link.symlink_to(Path("deep/target"))
    with target.open("rb") as before:
        write_through(link, b"new")
        assert before.read() == b"old"
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "link"]


def test_dangling_symlink_gets_its_target(tmp_path: Path) -> None:
    """As a shell's redirection does."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "absent" / "target")
    write_through(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "absent" / "target").read_bytes() == b"new"


def test_symlink_loop_is_refused(tmp_path: Path) -> None:
    """It is not replaced by a file."""
    link = tmp_path / "link"
    link.symlink_to(link)
    with pytest.raises(OSError, match="symbolic links"):
        write_through(link, b"new")
    assert link.is_symlink()


def test_fifo_receives_the_bytes(tmp_path: Path) -> None:
    """A reader at its other end gets them all, and it stays a FIFO."""
    fifo, got = tmp_path / "fifo", []
    os.mkfifo(fifo)
    data = bytes(1 << 20)  # more than a pipe holds
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    write_through(fifo, data)
    reader.join(10)
    assert got == [data]
    assert stat.S_ISFIFO(fifo.lstat().st_mode)


def test_device_stays_a_device(tmp_path: Path) -> None:
    """Also for root, who may replace it."""
    null = tmp_path / "null"
    try:
        os.mknod(null, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        null.write_bytes(b"")
    except OSError:
        pytest.skip("only root may make a device, and not everywhere")
    write_through(null, b"new")
    assert stat.S_ISCHR(null.lstat().st_mode)


def test_symlink_to_a_device_is_followed(tmp_path: Path) -> None:
    """As `/dev/stdout` is: what it leads to has no path of its own."""
    read, write = os.pipe()
    link = tmp_path / "link"
    link.symlink_to(f"/dev/fd/{write}")
    write_through(link, b"new")
    os.close(write)
    with os.fdopen(read, "rb") as file:
        assert file.read() == b"new"


def test_pipe_is_read_once(tmp_path: Path) -> None:
    """Whoever reads it again gets what was read: a second time nothing would come, or never."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"text",))
    writer.start()
    assert [read_input(path), read_input(path)] == [b"text", b"text"]
    writer.join()


def test_device_without_an_end_is_refused() -> None:
    """It does not fill the memory."""
    with pytest.raises(MochiError, match="B010: cannot read `/dev/zero`: file too large"):
        read_input(Path("/dev/zero"))


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 300, "missing", "."])
def test_what_cannot_be_read_is_an_error_of_the_input(tmp_path: Path, name: str) -> None:
    """Also a name that no file can have."""
    with pytest.raises(MochiError) as caught:
        read_input(tmp_path / name)
    assert (caught.value.diagnostics[0].code, caught.value.exit_status) == ("B010", 2)
