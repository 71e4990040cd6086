"""Packages of RPM: https://rpm-software-management.github.io/rpm/manual/format_v4.html.

The library `rpm-rs` writes them. They are read here, because it ends the process on some damaged
files.
"""

from __future__ import annotations

import stat
import struct
import zlib
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import environment_error
from mochi_rules.release.contents import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.release.contents import Contents

MAGIC = b"\xed\xab\xee\xdb"
_LEAD = 96  # bytes
_HEADER, _HEADER_MAGIC, _ENTRY = struct.Struct(">4s4xII"), b"\x8e\xad\xe8\x01", 16
_GZIP_BITS = 31
_CPIO_MAGIC, _CPIO, _CPIO_FIELD = b"070701", 110, 8
_MODE, _SIZE, _NAME_SIZE = 1, 6, 11  # numbers of fields
_END = "TRAILER!!!"


def rpm(contents: Contents) -> bytes:
    """Return a package that installs programs to `/usr/bin`, and files beside its documentation.

    Emits: R029 (`rpm-rs` is not installed).
    """
    product = contents.product
    rpm_rs = _module()
    name = product.name.lower()
    package = rpm_rs.PackageBuilder(
        name,
        product.version.replace("-", "~"),  # what stands behind it is older than without
        product.license or "unknown",
        contents.platform.architecture.name,
        product.summary or product.name,
    )
    package.release("1")
    package.description(product.summary or product.name)
    if product.maintainer:
        package.packager(product.maintainer)
    package.using_config(
        rpm_rs.BuildConfig(
            format=rpm_rs.RpmFormat.V4,
            compression=rpm_rs.CompressionType.Gzip,
            source_date=product.time,
        )
    )
    installed = [(f"/usr/bin/{file.path}", file) for file in contents.programs]
    installed += [(f"/usr/share/doc/{name}/{file.path}", file) for file in contents.files]
    for path, file in sorted(installed, key=lambda item: item[0]):
        options = rpm_rs.FileOptions.new(path, permissions=file.mode, user="root", group="root")
        package.with_file_contents(file.data, options)
    return bytes(package.build().to_bytes())


def read_rpm(data: bytes, limit: int) -> Iterator[File]:
    """Give the files of a package; together they have at most `limit` bytes.

    Raises:
        ValueError: And `struct.error` or `zlib.error`: it is damaged, or not one of ours.
    """
    signature_end = _header_end(data, _LEAD)
    payload = _header_end(data, signature_end + -signature_end % 8)
    unpacker = zlib.decompressobj(_GZIP_BITS)
    files = unpacker.decompress(data[payload:], limit)
    if not unpacker.eof:
        raise ValueError("it is truncated, or too large")
    yield from _cpio(files)


def _header_end(data: bytes, start: int) -> int:
    magic, entries, size = _HEADER.unpack_from(data, start)
    if magic != _HEADER_MAGIC:
        raise ValueError("a header is damaged")
    return int(start + _HEADER.size + _ENTRY * entries + size)


def _cpio(data: bytes) -> Iterator[File]:
    at = 0
    while True:
        fields = [
            int(data[at + start : at + start + _CPIO_FIELD], 16)
            for start in range(len(_CPIO_MAGIC), _CPIO, _CPIO_FIELD)
        ]
        name_end = at + _CPIO + fields[_NAME_SIZE]
        name = data[at + _CPIO : name_end].rstrip(b"\0").decode()
        start = name_end + -name_end % 4
        end = start + fields[_SIZE]
        if data[at : at + len(_CPIO_MAGIC)] != _CPIO_MAGIC or end > len(data) or min(fields) < 0:
            raise ValueError("a header of its payload is damaged")
        if name == _END:
            return
        if not stat.S_ISREG(fields[_MODE]):
            raise ValueError(f"`{name}` is not a file")
        yield File(name, data[start:end], stat.S_IMODE(fields[_MODE]))
        at = end + -end % 4


def _module() -> Any:
    """Return the library.

    Emits: R029.
    """
    try:
        import rpm_rs  # noqa: PLC0415 - an extra
    except ImportError:
        raise environment_error(
            "R029",
            "`rpm` needs the Python package `rpm-rs`",
            help="run `pip install 'mochi-rules[rpm]'`",
        ) from None
    return rpm_rs
