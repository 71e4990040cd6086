"""Files: read with a good message, appear whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError
from mochi_rules.base.span import Source


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader sees all of it or what was there before.

    The parent directory is made. `mode` is applied less the process's umask.

    Raises:
        OSError: The directory cannot be written, or the disk is full; nothing is left behind.
    """
    import tempfile  # noqa: PLC0415 - takes 4 ms, and most runs write nothing

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).chmod(mode & ~_UMASK)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def read_source(path: Path, name: str | None = None) -> Source:
    """Read a source text; `name` is what messages call it, by default the path as given.

    Emits: B010 (cannot read), B011 (not UTF-8).

    Raises:
        MochiError: The file cannot be read, or is not UTF-8.
    """
    shown = name or str(path)
    data = read_input(path, shown)
    try:
        return Source(shown, data.decode("utf-8").removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MochiError(
            Diagnostic(
                "B011",
                f"`{shown}` is not UTF-8: byte 0x{data[error.start]:02x} in line {line}",
                help="save the file as UTF-8",
            )
        ) from None


def read_input(path: Path, name: str | None = None) -> bytes:
    """Read a file which the user named.

    Emits: B010.

    Raises:
        MochiError: The file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise MochiError(unreadable(name or str(path), error)) from None


def unreadable(name: str, error: OSError) -> Diagnostic:
    """Say why a file which the user named cannot be read."""
    reason = error.strerror or str(error)
    fault = Fault.INPUT
    if isinstance(error, PermissionError):
        fault = Fault.ENVIRONMENT
    return Diagnostic("B010", f"cannot read `{name}`: {reason.lower()}", fault=fault)


def _read_umask() -> int:
    # The only way to learn the umask is to set it; at import there is one thread.
    umask = os.umask(0)
    os.umask(umask)
    return umask


_UMASK = _read_umask()
