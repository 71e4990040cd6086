"""Build information: lines `name=value` in a place of a program's data that is filled in last.

A place is SIZE bytes: MARK, the size of the text in four bytes, the text in ASCII, and zeros. It
has the same bytes in WebAssembly, in an artifact, in an object and in an executable.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = bytes.fromhex("29d6114abd584d9572f26187efb55e0a")
SIZE = 256
_LENGTH = struct.Struct("<I")
_TEXT = len(MARK) + _LENGTH.size  # compiler/runtime/build_info.mochi has the same offsets


def build_info_place(values: Mapping[str, str]) -> bytes:
    """Return a place that has some values; what is empty is left out."""
    text = "".join(f"{name}={value}\n" for name, value in values.items() if value).encode("ascii")
    place = MARK + _LENGTH.pack(len(text)) + text
    assert len(place) <= SIZE, "who makes the values bounds them"
    return place.ljust(SIZE, b"\0")


def find_place(data: bytes) -> int:
    """Return the offset of the only place in a file; -1 where there is none, or several."""
    found = data.find(MARK)
    is_whole = found + SIZE <= len(data) and data.find(MARK, found + 1) < 0
    return found if is_whole else -1


def read_build_info(data: bytes) -> dict[str, str] | None:
    """Return the values in the place of a file; None where it has no place, or a damaged one."""
    found = find_place(data)
    if found < 0:
        return None
    (length,) = _LENGTH.unpack_from(data, found + len(MARK))
    text = data[found + _TEXT : found + _TEXT + length]
    if length > SIZE - _TEXT or not text.isascii():
        return None
    lines = (line.partition("=") for line in text.decode().splitlines())
    return {name: value for name, _, value in lines}
