"""A payload after an ELF or PE executable. Their loaders read only what headers refer to.

Between the two are zeros, so that the payload begins at a multiple of ALIGNMENT, and the SHA-256 of
all before it.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from mochi_rules.formats.padding import align_up, pad_to

# Where the kernel's pages have this size, the launcher runs the code where the file is mapped.
# With larger ones it copies the code, which costs less than zeros up to 64 KiB in every file.
ALIGNMENT = 4096
_DIGEST = 32  # bytes


def attach(launcher: bytes, payload: bytes) -> bytes:
    """Return the executable of a launcher and a payload."""
    return _front(launcher) + payload


@lru_cache(maxsize=8)  # a launcher for each platform, and many programs for each launcher
def _front(launcher: bytes) -> bytes:
    """Return all that is before a payload."""
    start = align_up(len(launcher) + _DIGEST, ALIGNMENT)
    front = pad_to(launcher, start - _DIGEST)
    return front + hashlib.sha256(front).digest()


def is_launcher_intact(front: bytes) -> bool:
    """Return whether all that is before a payload ends with the digest of the rest."""
    return hashlib.sha256(front[:-_DIGEST]).digest() == front[-_DIGEST:]
