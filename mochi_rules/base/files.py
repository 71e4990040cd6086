"""Files: read with a good message, appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError
from mochi_rules.base.span import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MAX_STREAM = 64 << 20  # bytes of a pipe or a device
_REPLACED = (stat.S_IFREG, stat.S_IFDIR)  # a directory refuses by itself


def write_atomic(path: Path, data: bytes | Iterable[bytes], mode: int = 0o644) -> None:
    """Write a file so that a reader sees all of it or what was there before.

    `data` may come in parts. The parent directory is made. `mode` is applied less the process's
    umask.

    Raises:
        OSError: The directory cannot be written, or the disk is full; nothing is left behind.
    """
    # Thousands of files a build: strings, not paths.
    folder, name = os.path.split(path)
    draft = os.path.join(folder, f".{name[:40]}.{os.urandom(6).hex()}")  # noqa: PTH118 - as above
    try:
        file = _create(draft, mode)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _create(draft, mode)
    try:
        with file:
            _write(file, data)
        os.replace(draft, path)  # noqa: PTH105 - as above
    except BaseException:
        with suppress(OSError):
            os.unlink(draft)  # noqa: PTH108 - as above
        raise


def _create(path: str, mode: int) -> BinaryIO:
    opener = lambda name, flags: os.open(name, flags, mode)  # noqa: E731 - less the umask
    return open(path, "xb", opener=opener)


def _write(file: BinaryIO, data: bytes | Iterable[bytes]) -> None:
    file.writelines((data,) if isinstance(data, bytes) else data)


def write_through(path: Path, data: bytes | Iterable[bytes], mode: int = 0o644) -> None:
    """Write a file which the user named, without turning what is there into a regular file.

    A regular file is replaced as by `write_atomic`, and so is the target of a symlink, whether it
    exists or not. A device or a FIFO receives the bytes.

    Raises:
        OSError: It cannot be written.
    """
    kind, target = _kind(path.lstat), path
    if kind == stat.S_IFLNK:
        kind, target = _kind(path.stat), Path(os.path.realpath(path))
    if kind in _REPLACED:
        write_atomic(target, data, mode)
    else:
        with path.open("wb") as file:
            _write(file, data)


def _kind(look: Callable[[], os.stat_result]) -> int:
    """Return of which kind a file is; one that is not there will be regular."""
    try:
        return stat.S_IFMT(look().st_mode)
    except FileNotFoundError:
        return stat.S_IFREG


def is_special(path: Path) -> bool:
    """Return whether there is something that is neither a regular file nor a directory."""
    try:
        return stat.S_IFMT(path.lstat().st_mode) not in _REPLACED
    except OSError:
        return False


def read_source(path: Path, name: str | None = None) -> Source:
    """Read a source text; `name` is what messages call it, by default the path as given.

    Emits: B010 (cannot read), B011 (not UTF-8).

    Raises:
        MochiError: The file cannot be read, or is not UTF-8.
    """
    shown = name or str(path)
    return decode_source(shown, read_input(path, shown))


def decode_source(name: str, data: bytes) -> Source:
    """Return a source text of a name.

    Emits: B011 (not UTF-8).

    Raises:
        MochiError: It is not UTF-8.
    """
    try:
        return Source(name, data.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MochiError(
            Diagnostic(
                "B011",
                f"`{name}` is not UTF-8: byte 0x{data[error.start]:02x} in line {line}",
                help="save the file as UTF-8",
            )
        ) from None


def is_stream_mode(mode: int) -> bool:
    """Whether a mode of `stat` is that of a pipe or a device: to read it may take forever."""
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def is_stream(path: Path) -> bool:
    """Whether there is a pipe or a device at a path."""
    try:
        return is_stream_mode(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def read_input(path: Path, name: str | None = None) -> bytes:
    """Read a file which the user named.

    Emits: B010.

    Raises:
        MochiError: The file cannot be read.
    """
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return path.read_bytes()
        return _read_stream(path)
    except (OSError, ValueError) as error:
        raise MochiError(unreadable(name or str(path), error)) from None


@cache
def _read_stream(path: Path) -> bytes:
    """Read a pipe or a device, which cannot be read twice; a directory refuses.

    Raises:
        OSError: It cannot be read, or has no end.
    """
    with path.open("rb") as file:
        data = file.read(_MAX_STREAM + 1)
    if len(data) > _MAX_STREAM:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return data


def unreadable(name: str, error: OSError | ValueError) -> Diagnostic:
    """Report why a file that the user named cannot be read; a ValueError is an impossible name."""
    fault = Fault.ENVIRONMENT if isinstance(error, PermissionError) else Fault.INPUT
    return Diagnostic("B010", f"cannot read `{name}`: {reason(error)}", fault=fault)


def reason(error: OSError | ValueError) -> str:
    """Return the reason that the operating system gives, as the end of a phrase."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return "not a valid file name"
