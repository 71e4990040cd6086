"""A payload behind an ELF or PE executable. Their loaders read only what headers refer to."""

from __future__ import annotations

from mochi_rules.formats.padding import align_up

# Where the kernel's pages are of this size the launcher runs the code where the file is mapped.
# With larger ones it copies the code, which costs less than zeros up to 64 KiB in every file.
ALIGNMENT = 4096


def attach(launcher: bytes, payload: bytes) -> bytes:
    """Return the executable of a launcher and a payload, which begins at a multiple of 4096."""
    gap = align_up(len(launcher), ALIGNMENT) - len(launcher)
    return b"".join((launcher, bytes(gap), payload))
