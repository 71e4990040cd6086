"""ELF relocatable objects for 64-bit machines of both byte orders."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.formats import elf
from mochi_rules.formats.padding import align_up, pad_to

if TYPE_CHECKING:
    from mochi_rules.aot.objects.payload import Payload
    from mochi_rules.platforms.platform import Platform

# The sections by number: the payload is 1, the marker that the stack is not executable is 2.
_NAMES = ("", ".rodata", ".note.GNU-stack", ".symtab", ".strtab", ".shstrtab")
_RODATA, _SYMTAB, _STRTAB, _SHSTRTAB = 1, 3, 4, 5


def write_elf(platform: Platform, payload: Payload) -> bytes:
    """Return an ELF object for a platform."""
    order = ">" if platform.architecture.endianness == "big" else "<"
    names, name_at = _string_table(_NAMES)
    strings, symbol_at = _string_table(("", *(name for name, _ in payload.symbols)))
    symbols = bytes(elf.SYMBOL_SIZE) + b"".join(
        _symbol(order, symbol_at[name], offset, len(payload.data) - offset)
        for name, offset in payload.symbols
    )
    contents = (b"", payload.data, b"", symbols, strings, names)
    kinds = (0, elf.PROGBITS, elf.PROGBITS, elf.SYMTAB, elf.STRTAB, elf.STRTAB)
    alignments = (0, payload.alignment, 1, 8, 1, 1)

    body, headers = b"", b""
    for index, content in enumerate(contents):
        start = align_up(elf.HEADER_SIZE + len(body), max(1, alignments[index]))
        body = pad_to(body, start - elf.HEADER_SIZE) + content
        is_symbols = index == _SYMTAB
        headers += struct.pack(
            f"{order}{elf.SECTION}",
            name_at[_NAMES[index]],
            kinds[index],
            elf.ALLOC if index == _RODATA else 0,
            0,
            start if index else 0,
            len(content),
            _STRTAB if is_symbols else 0,
            1 if is_symbols else 0,  # the first global symbol
            alignments[index],
            elf.SYMBOL_SIZE if is_symbols else 0,
        )
    table_at = align_up(elf.HEADER_SIZE + len(body), 8)
    header = _header(platform, order, table_at)
    return pad_to(header + body, table_at) + headers


def _header(platform: Platform, order: str, table_at: int) -> bytes:
    ident = elf.MAGIC + bytes([elf.CLASS_64, 2 if order == ">" else 1, 1]) + bytes(9)
    return ident + struct.pack(
        f"{order}{elf.HEADER}",
        elf.RELOCATABLE,
        platform.architecture.elf_machine,
        1,
        0,
        0,
        table_at,
        platform.architecture.object_flags,
        elf.HEADER_SIZE,
        0,
        0,
        elf.SECTION_SIZE,
        len(_NAMES),
        _SHSTRTAB,
    )


def _symbol(order: str, name: int, offset: int, size: int) -> bytes:
    # Hidden: visible to what it is linked with, but not outside of a shared library. A program that
    # used the library's symbols would get a copy of the data at `start`, elsewhere than `end`.
    info = elf.GLOBAL << 4 | elf.OBJECT
    return struct.pack(f"{order}{elf.SYMBOL}", name, info, elf.HIDDEN, _RODATA, offset, size)


def _string_table(names: tuple[str, ...]) -> tuple[bytes, dict[str, int]]:
    """Return the names, each ended by NUL, and where each starts."""
    table, offsets = b"", {}
    for name in names:
        offsets[name] = len(table)
        table += name.encode() + b"\0"
    return table, offsets
