"""Files of a cache directory: read without trust in what is there, written whole, removed."""

from __future__ import annotations

import errno
import os
import stat
from typing import IO, TYPE_CHECKING

from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

_READ_ONLY = 0o444
_FOLDER_MODE = 0o755  # whatever the umask: see `is_private`
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
# A FIFO must not block, and a link may lead anywhere; Windows has neither flag.
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_SEAL_SIZE = 65  # bytes: a digest in hexadecimal, and the end of the line


class ForeignError(OSError):
    """A folder of a cache holds what other users may have written."""


class UnfitError(OSError):
    """What is in a cache is not a regular file, or is larger than it may be."""


def is_private(status: os.stat_result, *, sticky: bool = False) -> bool:
    """Return whether a folder can be written by this user and by root only.

    Entries are native code: whoever can write them can run anything as the one who reads them.
    With `sticky`, others may make new files, if the folder lets them change no others.
    """
    geteuid = getattr(os, "geteuid", None)  # absent on Windows
    if geteuid is None:
        return True
    is_shared = status.st_mode & _OTHERS_WRITE and not (sticky and status.st_mode & stat.S_ISVTX)
    return status.st_uid in (0, geteuid()) and not is_shared


def check_folder(path: Path) -> None:
    """Refuse a folder that other users can write.

    Raises:
        FileNotFoundError: There is none.
        ForeignError: They can.
    """
    if not is_private(path.stat()):
        raise ForeignError(errno.EPERM, "other users can write its folder")


def open_file(path: Path, limit: int) -> tuple[IO[bytes], int]:
    """Open a file of at most `limit` bytes, whoever wrote it, and return it with its size.

    Raises:
        FileNotFoundError: There is none.
        UnfitError: It is not a regular file, or is larger.
        OSError: It cannot be read.
    """
    opener = lambda name, flags: os.open(name, flags | _CAREFUL)  # noqa: E731 - more flags
    file = open(path, "rb", buffering=0, opener=opener)  # noqa: SIM115 - the caller closes it
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode) and status.st_size <= limit:
        return file, status.st_size
    file.close()
    raise UnfitError(errno.EINVAL, "not a file, or too large")


def read_entry(path: Path, limit: int) -> bytes:
    """Return the content of a file of at most `limit` bytes that this user wrote, or root.

    Raises:
        OSError: As `check_folder` and `open_file`.
    """
    check_folder(path.parent)
    file, size = open_file(path, limit)
    with file:
        parts = []
        while size > 0 and (part := file.read(size)):
            parts.append(part)
            size -= len(part)
    return b"".join(parts)


def write_entry(path: Path, data: bytes, mode: int = _READ_ONLY) -> None:
    """Write a file, by default read-only, and make its folder.

    Raises:
        OSError: The cache cannot be written.
    """
    if not path.parent.is_dir():  # making what is there takes longer than looking
        make_folder(path.parent)
    if os.name == "nt":
        discard(path)  # Windows replaces no read-only file
    write_atomic(path, data, mode)


def make_folder(path: Path) -> None:
    """Make a folder, with those above it, that only this user can write.

    Raises:
        OSError: It cannot be made.
    """
    try:
        path.mkdir(_FOLDER_MODE)
    except FileNotFoundError:
        make_folder(path.parent)
        path.mkdir(_FOLDER_MODE, exist_ok=True)
    except FileExistsError:
        pass  # what is not a folder is for who writes below it


def discard(path: Path) -> bool:
    """Remove a file, read-only or not, and return whether this call removed it.

    A folder in the place of a file is removed too.

    Raises:
        OSError: It cannot be removed.
    """
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except (PermissionError, IsADirectoryError):
        if path.is_dir() and not path.is_symlink():
            import shutil  # noqa: PLC0415 - hardly ever

            shutil.rmtree(path)
        elif os.name == "nt":
            path.chmod(0o600)  # Windows removes no read-only file
            path.unlink()
        else:
            raise
    return True


def touch(path: Path) -> bool:
    """Note that a file is in use, and return whether it is there."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    except OSError:
        pass  # of another user, or read-only: it only ages
    return True


def seal(name: str, content: bytes) -> bytes:
    """Return a content after a line which proves that it is complete, and belongs to a name."""
    return f"{_digest(name, content)}\n".encode() + content


def unseal(name: str, data: bytes) -> bytes | None:
    """Return a sealed content; None where it has changed, or belongs to another name."""
    content = data[_SEAL_SIZE:]
    return content if data[:_SEAL_SIZE] == f"{_digest(name, content)}\n".encode() else None


def _digest(name: str, content: bytes) -> str:
    return digest_bytes(f"{name}\0".encode() + content).hash
