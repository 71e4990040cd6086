"""ELF relocatable objects for 64-bit machines of both byte orders.

Source: ELF gABI 4.2, chapter 4; the processor supplements for e_flags.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.aot.objects.payload import Payload, align_up, pad_to

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform

_ET_REL = 1
_SHT_PROGBITS, _SHT_SYMTAB, _SHT_STRTAB = 1, 2, 3
_SHF_ALLOC = 2
_STB_GLOBAL, _STT_OBJECT = 1, 1
# Visible to what it is linked with, but not outside of a shared library: a program that used the
# library's symbols would get a copy of the data at `start`, elsewhere than `end`.
_STV_HIDDEN = 2
_HEADER_SIZE, _SECTION_SIZE, _SYMBOL_SIZE = 64, 64, 24

# RISC-V psABI, "File header": doubles in float registers, compressed instructions; a linker
# refuses to mix the float ABIs, even of an object without code.
_FLAGS = {"riscv64": 0x4 | 0x1}

# The sections by number: the payload is 1, the marker that the stack is not executable is 2.
_NAMES = ("", ".rodata", ".note.GNU-stack", ".symtab", ".strtab", ".shstrtab")
_RODATA, _SYMTAB, _STRTAB, _SHSTRTAB = 1, 3, 4, 5


def write_elf(platform: Platform, payload: Payload) -> bytes:
    """Return an ELF object for a platform."""
    order = ">" if platform.endianness == "big" else "<"
    names, name_at = _string_table(_NAMES)
    strings, symbol_at = _string_table(("", *(name for name, _ in payload.symbols)))
    symbols = bytes(_SYMBOL_SIZE) + b"".join(
        _symbol(order, symbol_at[name], offset, len(payload.data) - offset)
        for name, offset in payload.symbols
    )
    contents = (b"", payload.data, b"", symbols, strings, names)
    kinds = (0, _SHT_PROGBITS, _SHT_PROGBITS, _SHT_SYMTAB, _SHT_STRTAB, _SHT_STRTAB)
    alignments = (0, payload.alignment, 1, 8, 1, 1)

    body, headers = b"", b""
    for index, content in enumerate(contents):
        start = align_up(_HEADER_SIZE + len(body), max(1, alignments[index]))
        body = pad_to(body, start - _HEADER_SIZE) + content
        is_symbols = index == _SYMTAB
        headers += struct.pack(
            f"{order}IIQQQQIIQQ",
            name_at[_NAMES[index]],
            kinds[index],
            _SHF_ALLOC if index == _RODATA else 0,
            0,
            start if index else 0,
            len(content),
            _STRTAB if is_symbols else 0,
            1 if is_symbols else 0,  # the first global symbol
            alignments[index],
            _SYMBOL_SIZE if is_symbols else 0,
        )
    table_at = align_up(_HEADER_SIZE + len(body), 8)
    header = _header(platform, order, table_at)
    return pad_to(header + body, table_at) + headers


def _header(platform: Platform, order: str, table_at: int) -> bytes:
    ident = b"\x7fELF" + bytes([2, 2 if order == ">" else 1, 1]) + bytes(9)
    return ident + struct.pack(
        f"{order}HHIQQQIHHHHHH",
        _ET_REL,
        platform.elf_machine,
        1,
        0,
        0,
        table_at,
        _FLAGS.get(platform.cpu, 0),
        _HEADER_SIZE,
        0,
        0,
        _SECTION_SIZE,
        len(_NAMES),
        _SHSTRTAB,
    )


def _symbol(order: str, name: int, offset: int, size: int) -> bytes:
    info = _STB_GLOBAL << 4 | _STT_OBJECT
    return struct.pack(f"{order}IBBHQQ", name, info, _STV_HIDDEN, _RODATA, offset, size)


def _string_table(names: tuple[str, ...]) -> tuple[bytes, dict[str, int]]:
    """Return the names, each ended by NUL, and where each starts."""
    table, offsets = b"", {}
    for name in names:
        offsets[name] = len(table)
        table += name.encode() + b"\0"
    return table, offsets
