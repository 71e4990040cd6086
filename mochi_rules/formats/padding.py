"""Offsets and padding, which all formats share."""

from __future__ import annotations


def align_up(offset: int, alignment: int) -> int:
    """Return the next multiple of an alignment."""
    return (offset + alignment - 1) // alignment * alignment


def pad_to(data: bytes, size: int) -> bytes:
    """Return the data padded with zeros to `size` bytes."""
    return data.ljust(size, b"\0")
