"""Reads the unwind information of an object: the code that its entries describe, in three formats.

Sources: the Linux Standard Base 5.0, section 10.6; Microsoft's "PE Format", "x64 exception
handling" and "ARM64 exception handling"; `mach-o/compact_unwind_encoding.h` of LLVM's libunwind.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from mochi_rules.elf.decode import Malformed
from mochi_rules.formats import coff, elf, macho

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mochi_rules.elf.object_files import ObjectImage, ObjectSection

_RELATIVE_INT = 0x1B  # DW_EH_PE_pcrel | DW_EH_PE_sdata4
_COMPACT_SIZE = 32
_ARM_LENGTH = (1 << 18) - 1  # of a function, in words, in the header of its codes
_X64_VERSION, _X64_VERSION_BITS = 1, 7


class Place(NamedTuple):
    """A byte of an object: the index of its section, and where it is in there."""

    section: int
    offset: int


class Entry(NamedTuple):
    """The code that an entry describes, by its start and its size."""

    start: Place
    size: int


def read_entries(image: ObjectImage) -> list[Entry] | None:
    """Return the entries of an object; None where it has no section for them.

    Raises:
        Malformed: The section is damaged.
    """
    section = image.section(UNWIND_SECTIONS[image.format])
    return list(_READERS[image.format](image, section)) if section else None


def _eh_frame(image: ObjectImage, section: ObjectSection) -> Iterator[Entry]:
    links, data = _links(image, section), image.content(section)
    position = 0
    while position < len(data):
        length, back = _numbers(image, data, position, "II")
        body, following = position + 8, position + 4 + length
        if length < 4 or following > len(data):
            raise Malformed(f"the entry at {position} has a length of {length}")
        if back == 0:
            _check_common(data[body:following], position)
        else:
            if body - 4 - back != 0:
                raise Malformed(f"the entry at {position} does not belong to the first entry")
            (size,) = _numbers(image, data, body + 4, "I")
            yield Entry(_linked(links, body), size)
        position = following


def _check_common(body: bytes, position: int) -> None:
    """Check version, augmentation and pointer encoding of a common information entry."""
    place = 4
    for _ in range(3):  # two alignment factors and the return register, all LEB128
        while place < len(body) and body[place] & 0x80:
            place += 1
        place += 1
    if body[:4] != b"\1zR\0" or body[place : place + 2] != bytes([1, _RELATIVE_INT]):
        raise Malformed(f"the common entry at {position} has another form")


def _pdata(image: ObjectImage, section: ObjectSection) -> Iterator[Entry]:
    links, data = _links(image, section), image.content(section)
    is_arm = image.cpu == "aarch64"
    size = 8 if is_arm else 12
    for position in range(0, len(data), size):
        start = _linked(links, position)
        codes = _linked(links, position + size - 4)
        where = image.sections[codes.section]
        (header,) = _numbers(image, image.content(where), codes.offset, "I")
        if is_arm:
            yield Entry(start, 4 * (header & _ARM_LENGTH))
            continue
        end = _linked(links, position + 4)
        if end.section != start.section or header & _X64_VERSION_BITS != _X64_VERSION:
            raise Malformed(f"the entry at {position} has another form")
        yield Entry(start, end.offset - start.offset)


def _compact(image: ObjectImage, section: ObjectSection) -> Iterator[Entry]:
    links, data = _links(image, section), image.content(section)
    for position in range(0, len(data), _COMPACT_SIZE):
        size, encoding = _numbers(image, data, position + 8, "II")
        if not encoding:
            raise Malformed(f"the entry at {position} says nothing")
        yield Entry(_linked(links, position), size)


UNWIND_SECTIONS = {"elf": ".eh_frame", "macho": "__LD,__compact_unwind", "coff": ".pdata"}
_READERS: Mapping[str, Callable[[ObjectImage, ObjectSection], Iterator[Entry]]] = {
    "elf": _eh_frame,
    "macho": _compact,
    "coff": _pdata,
}


def _links(image: ObjectImage, section: ObjectSection) -> dict[int, Place]:
    """Return what a linker puts into a section, by the offset where it does.

    What it takes from other objects is left out.
    """
    data, links = image.content(section), {}
    for place, number, addend in _RELOCATIONS[image.format](image, data, section.relocation_table):
        symbol = image.symbol_table[number] if number < len(image.symbol_table) else None
        if symbol is None:
            raise Malformed(f"a relocation at {place} has no symbol")
        if symbol.section is not None:
            links[place] = Place(symbol.section, symbol.offset + addend)
    return links


def _elf_relocations(
    image: ObjectImage, _data: bytes, table: bytes
) -> Iterator[tuple[int, int, int]]:
    form = struct.Struct(("<" if image.little_endian else ">") + elf.RELA)
    for place, info, addend in form.iter_unpack(_whole(table, form)):
        yield place, info >> 32, addend


def _macho_relocations(
    image: ObjectImage, data: bytes, table: bytes
) -> Iterator[tuple[int, int, int]]:
    for place, bits in macho.RELOCATION.iter_unpack(_whole(table, macho.RELOCATION)):
        if not bits & macho.BY_SYMBOL:
            raise Malformed(f"a relocation at {place} has no symbol")
        yield place, bits & macho.RELOCATED_SYMBOL, *_numbers(image, data, place, "q")


def _coff_relocations(
    image: ObjectImage, data: bytes, table: bytes
) -> Iterator[tuple[int, int, int]]:
    for place, number, _ in coff.RELOCATION.iter_unpack(_whole(table, coff.RELOCATION)):
        yield place, number, *_numbers(image, data, place, "i")


_RELOCATIONS: Mapping[
    str, Callable[[ObjectImage, bytes, bytes], Iterator[tuple[int, int, int]]]
] = {"elf": _elf_relocations, "macho": _macho_relocations, "coff": _coff_relocations}


def _whole(table: bytes, entry: struct.Struct) -> bytes:
    return table[: len(table) // entry.size * entry.size]


def _linked(links: Mapping[int, Place], place: int) -> Place:
    if place not in links:
        raise Malformed(f"there is no address at {place}")
    return links[place]


def _numbers(image: ObjectImage, data: bytes, place: int, form: str) -> tuple[int, ...]:
    try:
        return struct.unpack_from(("<" if image.little_endian else ">") + form, data, place)
    except struct.error:
        raise Malformed(f"it ends before what should be at {place}") from None
