"""Blobs by their digest, on disk; every byte is verified on its way out."""

from __future__ import annotations

import hashlib
import io
import os
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Protocol, TypeVar

from mochi_rules.base.diagnostic import Diagnostic, Fault, Severity
from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.base.files import write_atomic
from mochi_rules.cache.layout import Layout, reason
from mochi_rules.cache.statistics import Recorder, Statistics

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_Value = TypeVar("_Value")

EMPTY = digest_bytes(b"")  # always present, never stored
_READ_ONLY = 0o444
_CHUNK = 1 << 20
_FICLONE = 0x40049409  # linux/fs.h


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

        Emits: K006 (damaged), K007 (unreadable).
        """
        if digest == EMPTY:
            return b""
        path = self._layout.blob(digest)
        file = self._open(path, digest.size)
        if file is None:
            return None
        try:
            with file:
                data = file.read()
        except OSError as error:
            read_failed(error, path, self._recorder)
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
        if digest == EMPTY or (_size(path) == digest.size and touch(path)):
            return
        write_entry(path, value)
        self._recorder.count(Statistics(bytes_written=digest.size))

    def touch(self, digest: Digest) -> None:
        """Note that a blob is in use."""
        touch(self._layout.blob(digest))

    def place_all(self, files: Iterable[tuple[Digest, Path, bool]]) -> bool:
        """Place blobs as (digest, path, executable), all or none; return whether it was done.

        What is placed is a verified copy, or a clone where the file system shares blocks; never a
        hard link, for a tool that edits its file in place would change the cache. Missing
        directories are made.

        Emits: K006, K007.

        Raises:
            OSError: A destination cannot be written.
        """
        staged: list[tuple[Path, Path]] = []
        try:
            for digest, path, executable in files:
                draft = path.with_name(f".{path.name[:40]}.{os.urandom(6).hex()}")
                staged.append((draft, path))
                if not self._stage(digest, draft, 0o777 if executable else 0o666):
                    return False
            for draft, path in staged:
                draft.replace(path)
        finally:
            for draft, _ in staged:
                with suppress(OSError):
                    draft.unlink()
        return True

    def _stage(self, digest: Digest, draft: Path, mode: int) -> bool:
        """Copy a blob to a new file and return whether the copy is right."""
        source = self._layout.blob(digest)
        blob = self._open(source, digest.size) if digest != EMPTY else io.BytesIO()
        if blob is None:
            return False
        draft.parent.mkdir(parents=True, exist_ok=True)
        opener = lambda name, flags: os.open(name, flags, mode)  # noqa: E731 - less the umask
        with blob, open(draft, "xb+", opener=opener) as copy:
            got = _clone(blob, copy) or self._copy(blob, copy, source)
        if got is None:
            return False
        if got != digest:
            set_aside(source, self._layout, self._recorder)
            return False
        self._recorder.count(Statistics(bytes_read=digest.size))
        return True

    def _open(self, path: Path, size: int) -> IO[bytes] | None:
        """Open a blob of the right size; None where there is none."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            read_failed(error, path, self._recorder)
            return None
        if os.fstat(file.fileno()).st_size == size:
            return file
        file.close()
        set_aside(path, self._layout, self._recorder)
        return None

    def _copy(self, blob: IO[bytes], copy: IO[bytes], source: Path) -> Digest | None:
        """Copy and return the digest of what was written; None where the blob is unreadable."""
        state = hashlib.sha256()
        size = 0
        while True:
            try:
                chunk = blob.read(_CHUNK)
            except OSError as error:
                read_failed(error, source, self._recorder)
                return None
            if not chunk:
                return Digest(state.hexdigest(), size)
            state.update(chunk)
            size += len(chunk)
            copy.write(chunk)


def _clone(blob: IO[bytes], copy: IO[bytes]) -> Digest | None:
    """Share the blocks of a blob and return the digest of the clone; None where that cannot be."""
    if sys.platform != "linux":
        return None
    import fcntl  # noqa: PLC0415 - of this platform only

    try:
        fcntl.ioctl(copy.fileno(), _FICLONE, blob.fileno())
    except OSError:
        return None
    state = hashlib.file_digest(copy, "sha256")  # type: ignore[arg-type]
    return Digest(state.hexdigest(), copy.tell())


def set_aside(path: Path, layout: Layout, recorder: Recorder) -> None:
    """Move a damaged entry to quarantine and count it.

    Emits: K006.
    """
    try:
        layout.quarantine.mkdir(parents=True, exist_ok=True)
        path.replace(layout.quarantine / f"{path.parent.parent.name}-{path.name}")
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


def read_failed(error: OSError, path: Path, recorder: Recorder) -> None:
    """Count an entry that the file system does not give.

    Emits: K007.
    """
    recorder.count(Statistics(errors=1))
    recorder.warn(warning("K007", f"cannot read the cache entry `{path}`: {reason(error)}"))


def warning(code: str, message: str, *, note: str = "", help: str = "") -> Diagnostic:
    """Make the warning of a cache that goes on."""
    notes = (note,) if note else ()
    return Diagnostic(
        code, message, notes=notes, help=help, severity=Severity.WARNING, fault=Fault.ENVIRONMENT
    )


def touch(path: Path) -> bool:
    """Note that a file is in use, and return whether it is there."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    except OSError:
        pass  # of another user, or read-only: it only ages
    return True


def write_entry(path: Path, data: bytes) -> None:
    """Write a file of the cache, read-only.

    Raises:
        OSError: The cache cannot be written.
    """
    if os.name == "nt":
        discard(path)  # Windows replaces no read-only file
    write_atomic(path, data, _READ_ONLY)


def discard(path: Path) -> bool:
    """Remove a file, read-only or not, and return whether this call removed it."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except PermissionError:
        if os.name != "nt":
            raise
        path.chmod(0o600)  # Windows removes no read-only file
        path.unlink()
    return True


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
