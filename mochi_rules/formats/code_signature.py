"""The ad-hoc signature of a Mach-O file: the digests of its pages, which the kernel checks.

It is what linkers write: no key, no certificate, so it detects damage, but does not identify the
author. Apple Silicon runs no program without one. All numbers are big-endian.

Sources: `osfmk/kern/cs_blobs.h` of XNU for the structures; `cmd/internal/codesign` of Go and
`lld/MachO/SyntheticSections.cpp` of LLVM for what a linker puts in.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.formats.padding import pad_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.base.diagnostic import MochiError

_EMBEDDED_SIGNATURE, _CODE_DIRECTORY = 0xFADE0CC0, 0xFADE0C02
_CODE_DIRECTORY_SLOT = 0
_WITH_EXECUTABLE_SEGMENT = 0x20400  # the version that has what is below, and nothing later
_AD_HOC, _LINKER_SIGNED = 0x2, 0x20000
_SHA256, _SHA256_SIZE = 2, 32
_MAIN_BINARY = 1
# Linkers take pages of 4 KiB for every architecture; other signers take those of the machine.
_PAGE_POWER = 12
_PAGE_POWERS = range(12, 17)

_SUPER_BLOB = struct.Struct(">III")  # magic, length, count; then the index
_INDEX = struct.Struct(">II")  # slot, offset
# magic, length, version, flags, offset of the digests, offset of the identifier, special slots,
# code slots, code limit, digest's size, digest's kind, platform, power of the page, spare;
# then scatter, team, spare, 64-bit code limit, executable segment: base, limit, flags.
_DIRECTORY = struct.Struct(">IIIIIIIIIBBBBI")
_DIRECTORY_REST = struct.Struct(">IIIQQQQ")

_HEADERS_SIZE = _SUPER_BLOB.size + _INDEX.size
_IDENTIFIER_AT = _DIRECTORY.size + _DIRECTORY_REST.size
_MAX_BLOBS = 64


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes the signature of `code_size` bytes, as `identifier`; its size is known before.

    `text_size` is the size in the file of the segment `__TEXT`, which begins the file.
    """

    identifier: bytes
    code_size: int
    text_size: int

    @property
    def size(self) -> int:
        """The bytes of the signature."""
        return _HEADERS_SIZE + self._digests_at + self._pages * _SHA256_SIZE

    def sign(self, code: bytes) -> bytes:
        """Return the signature of the code, which has `code_size` bytes."""
        digests = b"".join(page_digests(code, 1 << _PAGE_POWER))
        directory = _DIRECTORY.pack(
            _CODE_DIRECTORY,
            self.size - _HEADERS_SIZE,
            _WITH_EXECUTABLE_SEGMENT,
            _AD_HOC | _LINKER_SIGNED,
            self._digests_at,
            _IDENTIFIER_AT,
            0,
            self._pages,
            self.code_size,
            _SHA256_SIZE,
            _SHA256,
            0,
            _PAGE_POWER,
            0,
        )
        rest = _DIRECTORY_REST.pack(0, 0, 0, 0, 0, self.text_size, _MAIN_BINARY)
        named = pad_to(directory + rest + self.identifier, self._digests_at)
        headers = _SUPER_BLOB.pack(_EMBEDDED_SIGNATURE, self.size, 1)
        headers += _INDEX.pack(_CODE_DIRECTORY_SLOT, _HEADERS_SIZE)
        return headers + named + digests

    @property
    def _pages(self) -> int:
        return -(-self.code_size >> _PAGE_POWER)

    @property
    def _digests_at(self) -> int:
        """Where the digests are in the directory: after the identifier and its NUL."""
        return _IDENTIFIER_AT + len(self.identifier) + 1


def page_digests(code: bytes, page_size: int) -> Iterator[bytes]:
    """Return the SHA-256 of every page, the last of which may be short."""
    view = memoryview(code)
    for start in range(0, len(code), page_size):
        yield hashlib.sha256(view[start : start + page_size]).digest()


def check_signature(code: bytes, signature: bytes) -> None:
    """Check the page digests of a signature, whoever made it; `code` is all that is before it.

    Certificates are not looked at.

    Emits: A111.

    Raises:
        MochiError: The signature is damaged, covers not all of the code, or does not fit to it.
    """
    try:
        directories = list(_directories(signature))
        covered = [_check_directory(code, blob) for blob in directories]
    except (struct.error, IndexError):
        raise _wrong("it ends too early") from None
    if not any(covered):
        raise _wrong("it has no SHA-256 page hashes")


def _directories(signature: bytes) -> Iterator[bytes]:
    magic, length, count = _SUPER_BLOB.unpack_from(signature)
    if magic != _EMBEDDED_SIGNATURE or length > len(signature) or count > _MAX_BLOBS:
        raise _wrong("it has no header")
    for index in range(count):
        _, offset = _INDEX.unpack_from(signature, _SUPER_BLOB.size + index * _INDEX.size)
        magic, length = _INDEX.unpack_from(signature, offset)
        if magic == _CODE_DIRECTORY:
            yield signature[offset : offset + length]


def _check_directory(code: bytes, directory: bytes) -> bool:
    """Check every page; a directory with digests of another kind is left alone."""
    fields = _DIRECTORY.unpack_from(directory)
    digests_at, pages, limit, size, kind, power = (fields[i] for i in (4, 7, 8, 9, 10, 12))
    if kind != _SHA256:
        return False
    if limit != len(code):
        raise _wrong(f"it covers {limit} bytes, and {len(code)} are before it")
    if power not in _PAGE_POWERS:
        raise _wrong(f"it has pages of 2^{power} bytes")
    digests = list(page_digests(code, 1 << power))
    if size != _SHA256_SIZE or pages != len(digests):
        raise _wrong(f"it has {pages} pages instead of {len(digests)}")
    for index, digest in enumerate(digests):
        start = digests_at + index * _SHA256_SIZE
        if directory[start : start + _SHA256_SIZE] != digest:
            raise _wrong(f"the page at {index << power} has another SHA-256")
    return True


def _wrong(why: str) -> MochiError:
    return fail("A111", f"the code signature is wrong: {why}", help="build the executable again")
