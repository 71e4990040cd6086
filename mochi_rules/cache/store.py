"""Blobs by their digest, on disk; every byte is verified on its way out."""

from __future__ import annotations

import errno
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

from mochi_rules.base.diagnostic import Diagnostic, Fault, Severity
from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.base.files import reason
from mochi_rules.cache.directory import Layout, foreign
from mochi_rules.cache.entry import (
    ForeignError,
    UnfitError,
    make_folder,
    read_entry,
    touch,
    write_entry,
)
from mochi_rules.cache.statistics import Recorder, Statistics

if TYPE_CHECKING:
    from pathlib import Path

_Value = TypeVar("_Value")

EMPTY = digest_bytes(b"")  # always present, never stored
# Not the entry's fault, and over in a moment.
_PASSING = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.ESTALE}


class Store(Protocol[_Value]):
    """Keeps values by digest: blobs by their own, action results by that of their action.

    The two services of the Remote Execution API have this shape; a remote cache is two more
    implementations.
    """

    def get(self, digest: Digest) -> _Value | None:
        """Return a value that has been verified, or None where there is none."""

    def put(self, digest: Digest, value: _Value) -> None:
        """Keep a value; what an action result names must be there before it."""


class ContentStore:
    """The blobs of a cache directory. Reads need no lock; a file appears whole or not at all."""

    def __init__(self, layout: Layout, recorder: Recorder) -> None:
        self._layout = layout
        self._recorder = recorder

    def get(self, digest: Digest) -> bytes | None:
        """Return a blob; None where it is absent, unreadable or damaged.

        Emits: K002 (of others), K006 (damaged), K007 (unreadable).
        """
        if digest == EMPTY:
            return b""
        path = self._layout.blob(digest)
        data = read(path, digest.size, self._layout, self._recorder)
        if data is None:
            return None
        if digest_bytes(data) != digest:
            set_aside(path, self._layout, self._recorder)
            return None
        self._recorder.count(Statistics(bytes_read=digest.size))
        return data

    def put(self, digest: Digest, value: bytes) -> None:
        """Keep a blob, or note that it is in use again; `digest` is that of `value`.

        Raises:
            OSError: The cache cannot be written.
        """
        path = self._layout.blob(digest)
        if digest == EMPTY or (has_size(path, digest.size) and touch(path)):
            return
        write(path, value, self._layout)
        self._recorder.count(Statistics(bytes_written=digest.size))

    def touch(self, digest: Digest) -> None:
        """Note that a blob is in use."""
        touch(self._layout.blob(digest))


def read(path: Path, limit: int, layout: Layout, recorder: Recorder) -> bytes | None:
    """Return a file of at most `limit` bytes, as it is; None where it is absent or unreadable.

    What is in its place is set aside, so that it can be written again.

    Emits: K002, K006, K007.
    """
    try:
        return read_entry(path, limit)
    except FileNotFoundError:
        return None
    except OSError as error:
        refuse(error, path, layout, recorder)
        return None


def write(path: Path, data: bytes, layout: Layout) -> None:
    """Write an entry, whatever is in its place.

    Raises:
        OSError: The cache cannot be written.
    """
    try:
        write_entry(path, data)
    except IsADirectoryError:
        _move(path, layout)
        write_entry(path, data)


def refuse(error: OSError, path: Path, layout: Layout, recorder: Recorder) -> None:
    """Count and set aside an entry that cannot be read.

    Emits: K002 (of others), K006 (not a file), K007 (unreadable).
    """
    if isinstance(error, UnfitError):
        set_aside(path, layout, recorder)
        return
    recorder.count(Statistics(errors=1))
    if isinstance(error, ForeignError):
        recorder.warn(*foreign(path.parent, layout.root).diagnostics)
        return
    recorder.warn(warning("K007", f"cannot read the cache entry `{path}`: {reason(error)}"))
    if error.errno not in _PASSING:
        with suppress(OSError):
            _move(path, layout)


def set_aside(path: Path, layout: Layout, recorder: Recorder) -> None:
    """Move a damaged entry to quarantine and count it.

    Emits: K006.
    """
    try:
        _move(path, layout)
    except FileNotFoundError:
        return  # another process was faster
    except OSError:
        pass  # it stays, and every read refuses it again
    recorder.count(Statistics(corrupted=1))
    name = path.relative_to(layout.root).as_posix()
    recorder.warn(
        warning(
            "K006", f"the cache entry `{name}` was damaged",
            note="it was set aside, and its step runs again",
            help="check every entry with `mochi-rules cache verify`",
        )
    )  # fmt: skip


def _move(path: Path, layout: Layout) -> None:
    make_folder(layout.quarantine)
    path.replace(layout.quarantine / f"{path.parent.parent.name}-{path.name}")


def warning(code: str, message: str, *, note: str = "", help: str = "") -> Diagnostic:
    """Make the warning of a cache that goes on."""
    notes = (note,) if note else ()
    return Diagnostic(
        code, message, notes=notes, help=help, severity=Severity.WARNING, fault=Fault.ENVIRONMENT
    )


def has_size(path: Path, size: int) -> bool:
    """Return whether there is a regular file of so many bytes."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size
