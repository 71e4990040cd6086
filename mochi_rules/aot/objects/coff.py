"""COFF objects for Windows.

Source: Microsoft's "PE Format", sections on COFF headers, the symbol table and the string table.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.aot.objects.payload import Payload, align_up, pad_to

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform

_MACHINES = {"x86_64": 0x8664, "aarch64": 0xAA64}
_INITIALIZED_DATA, _READ = 0x0000_0040, 0x4000_0000
_EXTERNAL = 2
_HEADER_SIZE, _SECTION_SIZE = 20, 40


def write_coff(platform: Platform, payload: Payload) -> bytes:
    """Return a COFF object for a platform; its time stamp is zero."""
    section_at = align_up(_HEADER_SIZE + _SECTION_SIZE, payload.alignment)
    symbols_at = align_up(section_at + len(payload.data), 4)

    strings, symbols = b"", b""
    for name, offset in payload.symbols:
        # A name that is not in the table itself: zero, then its place behind the table's size.
        place = struct.pack("<II", 0, 4 + len(strings))
        symbols += place + struct.pack("<IhHBB", offset, 1, 0, _EXTERNAL, 0)
        strings += name.encode() + b"\0"

    power = payload.alignment.bit_length() - 1
    flags = _INITIALIZED_DATA | _READ | (power + 1) << 20
    header = struct.pack(
        "<HHIIIHH", _MACHINES[platform.cpu], 1, 0, symbols_at, len(payload.symbols), 0, 0
    )
    section = struct.pack(
        "<8sIIIIIIHHI", b".rdata", 0, 0, len(payload.data), section_at, 0, 0, 0, 0, flags
    )
    body = pad_to(pad_to(header + section, section_at) + payload.data, symbols_at)
    return body + symbols + struct.pack("<I", 4 + len(strings)) + strings
