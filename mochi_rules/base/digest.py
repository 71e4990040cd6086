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
    """Bytes that many steps take, such as a launcher: they are hashed once."""

    @cached_property
    def _state(self) -> hashlib._Hash:
        return hashlib.sha256(self)

    @cached_property
    def digest(self) -> Digest:
        """The digest of the bytes."""
        return Digest(self._state.hexdigest(), len(self))

    def hash_with(self, rest: bytes) -> str:
        """Return the SHA-256 of these bytes and the rest."""
        state = self._state.copy()
        state.update(rest)
        return state.hexdigest()


def digest_bytes(data: bytes, front: bytes = b"") -> Digest:
    """Return the digest of some bytes.

    Where they begin with those of `front`, and these are shared, only the rest is hashed.
    """
    if isinstance(data, SharedBytes):
        return data.digest
    if isinstance(front, SharedBytes) and data.startswith(front):
        return Digest(front.hash_with(data[len(front) :]), len(data))
    return Digest(hashlib.sha256(data).hexdigest(), len(data))
