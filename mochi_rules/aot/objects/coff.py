"""COFF objects for Windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.formats import coff
from mochi_rules.formats.padding import align_up, pad_to

if TYPE_CHECKING:
    from mochi_rules.aot.objects.payload import Payload
    from mochi_rules.platforms.platform import Platform


def write_coff(platform: Platform, payload: Payload) -> bytes:
    """Return a COFF object for a platform; its time stamp is zero."""
    section_at = align_up(coff.HEADER.size + coff.SECTION.size, payload.alignment)
    symbols_at = align_up(section_at + len(payload.data), 4)

    strings, symbols = b"", b""
    for name, offset in payload.symbols:
        # The offset counts from the size of the string table, which is before the strings.
        long_name = coff.LONG_NAME.pack(0, coff.NUMBER.size + len(strings))
        symbols += coff.SYMBOL.pack(long_name, offset, 1, 0, coff.EXTERNAL, 0)
        strings += name.encode() + b"\0"

    flags = (
        coff.INITIALIZED_DATA | coff.READ | payload.alignment.bit_length() << coff.ALIGNMENT_SHIFT
    )
    header = coff.HEADER.pack(
        platform.architecture.coff_machine, 1, 0, symbols_at, len(payload.symbols), 0, 0
    )
    section = coff.SECTION.pack(b".rdata", 0, 0, len(payload.data), section_at, 0, 0, 0, 0, flags)
    body = pad_to(pad_to(header + section, section_at) + payload.data, symbols_at)
    return body + symbols + coff.NUMBER.pack(coff.NUMBER.size + len(strings)) + strings
