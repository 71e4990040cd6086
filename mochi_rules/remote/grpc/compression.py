"""Blobs on the wire, compressed where both sides can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.zstandard import load_zstd
from mochi_rules.remote.grpc import messages as m
from mochi_rules.remote.trouble import Kind, ServerError

if TYPE_CHECKING:
    from mochi_rules.base.digest import Digest

_WORTH_IT = 1024  # bytes
_LEVEL = 1


def is_there() -> bool:
    """Return whether this Python can compress."""
    return load_zstd() is not None


def packed(data: bytes, *, is_allowed: bool) -> tuple[bytes, int]:
    """Return a blob as it is sent, and the number of its compressor."""
    if is_allowed and len(data) >= _WORTH_IT:
        return load_zstd().compress(data, _LEVEL), m.ZSTD
    return data, 0


def expanded(data: bytes, digest: Digest, compressor: int) -> bytes:
    """Return a blob as it was before it was sent; it never grows far beyond its size.

    Raises:
        ServerError: It is not what was announced.
    """
    if not compressor:
        return data
    if compressor != m.ZSTD or not is_there():
        raise ServerError(Kind.LASTING, f"it uses the unknown compressor {compressor}")
    return Expander(digest.size).add(data)


class Expander:
    """Expands a blob of a known size that comes in parts."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._zstd = load_zstd().ZstdDecompressor()

    def add(self, data: bytes) -> bytes:
        """Return what a part holds.

        Raises:
            ServerError: It is malformed, or holds more than was announced.
        """
        if not data or self._zstd.eof:
            return b""
        try:
            found: bytes = self._zstd.decompress(data, self._left + 1)
        except load_zstd().ZstdError:
            raise ServerError(Kind.LASTING, "it sends a blob that is not zstd") from None
        self._left -= len(found)
        if self._left < 0:
            raise ServerError(Kind.LASTING, "it sends a blob that is larger than announced")
        return found
