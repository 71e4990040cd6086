"""Reads archives of any origin: every path in one is safe, or the archive is refused."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING, Literal

from mochi_rules.base.diagnostic import fail
from mochi_rules.release.archives.rpm import MAGIC as RPM
from mochi_rules.release.archives.rpm import read_rpm
from mochi_rules.release.contents import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.base.diagnostic import MochiError

_MAX_BYTES = 4 << 30  # of all files together
_ZIP, _GZIP = b"PK", b"\x1f\x8b"
_AR, _AR_HEADER = b"!<arch>\n", 60
_USTAR, _USTAR_AT = b"ustar", 257
_ZSTD = b"\x28\xb5\x2f\xfd"


def read_archive(name: str, data: bytes) -> dict[str, File]:
    """Return the files of an archive by path; `name` is what messages call it.

    Emits: R018 (a path leads out of it, or a file is a link or a device), R025 (not readable).
    """
    try:
        found: dict[str, File] = {}
        for file in _members(data):
            if _is_unsafe(file.path) or file.path in found:
                raise _unsafe(name, file.path)
            found[file.path] = file
    except _RefusedError as error:
        raise _unsafe(name, str(error)) from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError,
            ValueError, NotImplementedError) as error:  # fmt: skip
        message = f"cannot read the archive `{name}`: {error}"
        raise fail("R025", message, help="copy or download it again") from None
    return found


class _RefusedError(Exception):
    """A member that none of our archives has; its text names it."""


def _members(data: bytes) -> Iterator[File]:
    """Give the files of an archive, and those of archives in it below the names of these."""
    if data.startswith(_ZIP):
        yield from _zip(data)
        return
    if data.startswith(RPM):
        yield from read_rpm(data, _MAX_BYTES)
        return
    for file in _ar(data) if data.startswith(_AR) else _tar(data):
        yield file
        if file.data.startswith(_GZIP) or file.data[_USTAR_AT:].startswith(_USTAR):
            for inner in _tar(file.data):
                yield File(f"{file.path}/{inner.path}", inner.data, inner.mode)


def _ar(data: bytes) -> Iterator[File]:
    """Give the members of an archive of `ar`, which packages of Debian are."""
    at = len(_AR)
    while at < len(data):
        header = data[at : at + _AR_HEADER]
        if len(header) < _AR_HEADER or header[-2:] != b"`\n":
            raise ValueError("a header is damaged")
        size = int(header[48:58])
        start = at + _AR_HEADER
        if size < 0 or start + size > len(data):
            raise ValueError("it is truncated")
        mode = int(header[40:48], 8)
        name = header[:16].decode("ascii").rstrip()
        yield File(name, data[start : start + size], stat.S_IMODE(mode))
        at = start + size + size % 2


def _tar(data: bytes) -> Iterator[File]:
    if data.startswith(_ZSTD):
        from mochi_rules.release.archives.zstandard import decompress  # noqa: PLC0415 - an extra

        data = decompress(data, _MAX_BYTES)
    left = _MAX_BYTES
    mode: Literal["r:gz", "r:"] = "r:gz" if data.startswith(_GZIP) else "r:"
    with tarfile.open(fileobj=io.BytesIO(data), mode=mode) as archive:
        for member in archive:
            if member.isdir():
                if _is_unsafe(member.name):
                    raise _RefusedError(member.name)
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            left -= member.size
            if stream is None or left < 0:
                raise _RefusedError(member.name)
            yield File(member.name, stream.read(), stat.S_IMODE(member.mode))


def _zip(data: bytes) -> Iterator[File]:
    left = _MAX_BYTES
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for entry in archive.infolist():
            mode = entry.external_attr >> 16
            left -= entry.file_size
            if left < 0 or entry.is_dir() or not stat.S_ISREG(mode):
                raise _RefusedError(entry.filename)
            yield File(entry.filename, archive.read(entry), stat.S_IMODE(mode))


def _is_unsafe(path: str) -> bool:
    """Return whether a path might not stay below the folder that an archive is unpacked in."""
    names = path.split("/")
    return not path or path.startswith("/") or ".." in names or "\\" in path or ":" in names[0]


def _unsafe(name: str, path: str) -> MochiError:
    message = f"the archive `{name}` has an unsafe or repeated path: `{path}`"
    return fail("R018", message, help="do not unpack it")
