"""The line table of the machine code itself, which `debug_info` of the engine leaves in it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal

from mochi_rules.elf.decode import Malformed
from mochi_rules.platforms.architecture import ARCHITECTURES
from mochi_rules.wasm.debug.line_table import LineTable, MalformedLines, decode_lines

if TYPE_CHECKING:
    from mochi_rules.elf.artifact import Artifact, Section

_STRINGS = (".debug_str", ".debug_line_str")

# How many bytes a type of relocation writes, by machine.
_SIZES = {
    row.elf_name: dict(zip(row.address_relocations, (8, 4), strict=True)) for row in ARCHITECTURES
}


def read_native_lines(artifact: Artifact) -> LineTable:
    """Return the lines of an artifact, by offset in its code; empty where it has none.

    For functions without lines Wasmtime describes the WebAssembly as if it were a source: there,
    the numbers of lines are offsets in its file.

    Raises:
        Malformed: There are lines, and they are damaged.
    """
    section = artifact.section(".debug_line")
    if section is None:
        return LineTable()
    data = _relocated(artifact, section)
    strings = {
        item.name: _relocated(artifact, item) for item in artifact.sections if item.name in _STRINGS
    }
    order: Literal["little", "big"] = "little" if artifact.header.little_endian else "big"
    try:
        return decode_lines(data, strings, order=order)
    except MalformedLines as error:
        raise Malformed(str(error)) from None


def _relocated(artifact: Artifact, section: Section) -> bytes:
    """Return the contents of a section with the addresses filled in, where code starts at 0."""
    data = bytearray(artifact.content(section))
    table = artifact.section(f".rela{section.name}")
    if table is None:
        return bytes(data)
    order = "<" if artifact.header.little_endian else ">"
    sizes = _SIZES.get(artifact.header.machine, {})
    content = artifact.content(table)
    whole = content[: len(content) // 24 * 24]
    for offset, kind, symbol, addend in _entries(whole, order):
        size = sizes.get(kind)
        if size is None:
            raise Malformed(f"a relocation of type {kind} in `{section.name}`")
        if not 0 < symbol <= len(artifact.symbols) or offset + size > len(data):
            raise Malformed(f"a relocation at {offset} of `{section.name}` leaves the file")
        value = artifact.symbols[symbol - 1].value + addend & (1 << 8 * size) - 1
        struct.pack_into(order + ("Q" if size == 8 else "I"), data, offset, value)
    return bytes(data)


def _entries(data: bytes, order: str) -> list[tuple[int, int, int, int]]:
    """Return the offset, the type, the symbol and the addend of each entry of a RELA section."""
    return [
        (offset, info & 0xFFFF_FFFF, info >> 32, addend)
        for offset, info, addend in struct.iter_unpack(order + "QQq", data)
    ]
