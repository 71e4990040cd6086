"""SHA-256 digests, the names of everything in the cache."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property

from mochi_rules.base.dataclass import dataclass

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """The name of some bytes: 64 lower-case hexadecimal digits and the exact size in bytes."""

    hash: str
    size: int

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.hash) or self.size < 0:
            raise ValueError(f"not a digest: {self.hash!r}, {self.size}")

    @property
    def short(self) -> str:
        """The first twelve digits, enough for people."""
        return self.hash[:12]


class SharedBytes(bytes):
    """Bytes that many steps take, such as a launcher: their digest is computed once."""

    @cached_property
    def digest(self) -> Digest:
        """The digest of the bytes."""
        return _digest(self)


def digest_bytes(data: bytes) -> Digest:
    """Return the digest of some bytes."""
    return data.digest if isinstance(data, SharedBytes) else _digest(data)


def _digest(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest(), len(data))
