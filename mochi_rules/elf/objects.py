"""Reads relocatable objects of three formats into one form: sections and global symbols.

ELF is decoded by pyelftools. Of Mach-O and COFF only what an object that holds data needs is
read. Sources: mach-o/loader.h and mach-o/nlist.h of XNU; Microsoft's "PE Format".
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.elf.artifact import EXECUTE, WRITE
from mochi_rules.elf.decode import Malformed, Names, decode_name
from mochi_rules.elf.read import read_artifact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ELF_MAGIC, MACHO_MAGIC = b"\x7fELF", b"\xcf\xfa\xed\xfe"
_ELF_CPUS = {
    "EM_X86_64": "x86_64",
    "EM_AARCH64": "aarch64",
    "EM_RISCV": "riscv64",
    "EM_S390": "s390x",
}
_MACHO_CPUS = {0x0100_0007: "x86_64", 0x0100_000C: "aarch64"}
COFF_CPUS = {0x8664: "x86_64", 0xAA64: "aarch64"}

_MACHO_OBJECT = 1  # MH_OBJECT
_SEGMENT, _SYMBOLS = 0x19, 0x2  # LC_SEGMENT_64, LC_SYMTAB
_MACHO_CODE = 0x8000_0400  # S_ATTR_PURE_INSTRUCTIONS, S_ATTR_SOME_INSTRUCTIONS
_MACHO_READ_ONLY = "__TEXT"  # the segment that a linker puts read-only data in
_COFF_EXECUTE, _COFF_WRITE, _COFF_CODE = 0x2000_0000, 0x8000_0000, 0x20
_COFF_EXTERNAL = 2
_MAX_SECTIONS, _MAX_SYMBOLS = 256, 65536
_STRINGS = "its strings"


@dataclass(frozen=True, slots=True)
class ObjectSection:
    """A section; `offset` is that in the file, `alignment` is in bytes."""

    name: str
    address: int
    offset: int
    size: int
    alignment: int
    is_writable: bool
    is_executable: bool
    relocations: int


@dataclass(frozen=True, slots=True)
class ObjectSymbol:
    """A global symbol as C names it.

    `section` is an index, None where the symbol is not defined; `offset` is that in the section.
    """

    name: str
    section: int | None
    offset: int


@dataclass(frozen=True, slots=True)
class ObjectImage:
    """A decoded object. `format` is `elf`, `macho` or `coff`; `cpu` is as in a platform."""

    data: bytes
    format: str
    cpu: str
    little_endian: bool
    is_relocatable: bool
    sections: tuple[ObjectSection, ...]
    symbols: tuple[ObjectSymbol, ...]

    @property
    def payload(self) -> bytes | None:
        """The bytes from `<base>_start` to `<base>_end`, or None when there is no such pair."""
        pair = self.symbol_pair
        if pair is None:
            return None
        start, end = pair
        base = self.sections[start.section or 0].offset
        return self.data[base + start.offset : base + end.offset]

    @property
    def symbol_pair(self) -> tuple[ObjectSymbol, ObjectSymbol] | None:
        """The symbols `<base>_start` and `<base>_end` in one section, if the two are all."""
        if len(self.symbols) != 2:
            return None
        end, start = sorted(self.symbols, key=lambda symbol: symbol.name)
        base = start.name.removesuffix("_start")
        names_fit = base != start.name and end.name == f"{base}_end"
        in_one_section = start.section is not None and start.section == end.section
        return (start, end) if names_fit and in_one_section else None


def read_object(data: bytes, name: str = "the object") -> ObjectImage:
    """Decode an ELF, Mach-O or COFF object; `name` is what messages call it.

    Emits: A024 (of none of the formats, or damaged), A021 (damaged ELF).

    Raises:
        MochiError: The bytes cannot be decoded.
    """
    try:
        if data.startswith(ELF_MAGIC):
            return _read_elf(data, name)
        if data.startswith(MACHO_MAGIC):
            return _read_macho(data)
        if data[:2] in (machine.to_bytes(2, "little") for machine in COFF_CPUS):
            return _read_coff(data)
    except Malformed as error:
        raise fail("A024", f"{name} is damaged: {error}", help="build it again") from None
    raise fail("A024", f"{name} is neither an ELF, nor a Mach-O, nor a COFF object")


def _read_elf(data: bytes, name: str) -> ObjectImage:
    artifact = read_artifact(data, name)
    header = artifact.header
    relocations: dict[int, int] = {}
    for section in artifact.sections:
        if section.type in ("SHT_REL", "SHT_RELA"):
            relocations[section.info] = section.size
    sections = tuple(
        ObjectSection(
            name=section.name,
            address=section.address,
            offset=section.offset,
            size=section.size,
            alignment=section.alignment,
            is_writable=bool(section.flags & WRITE),
            is_executable=bool(section.flags & EXECUTE),
            relocations=relocations.get(section.index, 0),
        )
        for section in artifact.sections
    )
    symbols = tuple(
        ObjectSymbol(symbol.name, _index(symbol.section, sections), symbol.value)
        for symbol in artifact.symbols
        if symbol.binding
    )
    return ObjectImage(
        data=data,
        format="elf",
        cpu=_ELF_CPUS.get(header.machine, header.machine),
        little_endian=header.little_endian,
        is_relocatable=header.type == "ET_REL" and header.os_abi == 0,
        sections=sections,
        symbols=symbols,
    )


def _read_macho(data: bytes) -> ObjectImage:
    _, cpu, _, file_type, commands, _, _ = _unpack("<IIIIIII", data, 0)
    sections: list[ObjectSection] = []
    tables: list[tuple[int, ...]] = []
    position = 32
    for _ in range(commands):
        command, size = _unpack("<II", data, position)
        if size < 8 or position + size > len(data):
            raise Malformed(f"the load command at {position} has a size of {size}")
        if command == _SEGMENT:
            sections += _macho_sections(data, position, size)
        elif command == _SYMBOLS and not tables:
            tables.append(_unpack("<IIII", data, position + 8))
        position += size
    return ObjectImage(
        data=data,
        format="macho",
        cpu=_MACHO_CPUS.get(cpu, f"{cpu:#x}"),
        little_endian=True,
        is_relocatable=file_type == _MACHO_OBJECT,
        sections=tuple(sections),
        symbols=tuple(
            symbol for table in tables for symbol in _macho_symbols(data, table, sections)
        ),
    )


def _macho_sections(data: bytes, command: int, size: int) -> Iterator[ObjectSection]:
    (count,) = _unpack("<I", data, command + 64)
    if 72 + 80 * count > size:
        raise Malformed(f"a segment claims {count} sections in a load command of {size} bytes")
    for index in range(count):
        fields = _unpack("<16s16sQQIIIII", data, command + 72 + 80 * index)
        name, segment, address, size, offset, power, _, relocations, flags = fields
        segment = _padded_name(segment)
        yield ObjectSection(
            name=f"{segment},{_padded_name(name)}",
            address=address,
            offset=offset,
            size=size,
            alignment=1 << min(power, 63),
            is_writable=segment != _MACHO_READ_ONLY,
            is_executable=bool(flags & _MACHO_CODE),
            relocations=relocations,
        )


def _macho_symbols(
    data: bytes, table: tuple[int, ...], sections: list[ObjectSection]
) -> Iterator[ObjectSymbol]:
    offset, count, strings_at, strings_size = table
    name_of = Names(_slice(data, strings_at, strings_size), _STRINGS)
    for place in _entries(offset, count, 16):
        name_at, kind, section, _, value = _unpack("<IBBHQ", data, place)
        # N_STAB entries are for debuggers; N_EXT marks a global symbol, N_SECT a defined one.
        if kind & 0xE0 or not kind & 0x01:
            continue
        name = name_of(name_at).removeprefix("_")
        index = _index(section - 1, sections) if kind & 0x0E == 0x0E else None
        yield ObjectSymbol(name, index, value - (0 if index is None else sections[index].address))


def _read_coff(data: bytes) -> ObjectImage:
    machine, count, _, symbols_at, symbol_count, optional, _ = _unpack("<HHIIIHH", data, 0)
    if count > _MAX_SECTIONS:
        raise Malformed(f"it claims {count} sections")
    sections = tuple(_coff_section(data, 20 + optional + 40 * index) for index in range(count))
    return ObjectImage(
        data=data,
        format="coff",
        cpu=COFF_CPUS[machine],
        little_endian=True,
        is_relocatable=optional == 0,
        sections=sections,
        symbols=tuple(_coff_symbols(data, symbols_at, symbol_count, sections)),
    )


def _coff_section(data: bytes, place: int) -> ObjectSection:
    fields = _unpack("<8sIIIIIIHHI", data, place)
    name, _, address, size, offset, _, _, relocations, _, flags = fields
    power = flags >> 20 & 15
    return ObjectSection(
        name=_padded_name(name),
        address=address,
        offset=offset,
        size=size,
        alignment=1 << power - 1 if power else 16,  # the default of "PE Format"
        is_writable=bool(flags & _COFF_WRITE),
        is_executable=bool(flags & (_COFF_EXECUTE | _COFF_CODE)),
        relocations=relocations,
    )


def _coff_symbols(
    data: bytes, offset: int, count: int, sections: tuple[ObjectSection, ...]
) -> Iterator[ObjectSymbol]:
    strings_at = offset + 18 * count
    (size,) = _unpack("<I", data, strings_at)
    name_of = Names(_slice(data, strings_at, size), _STRINGS)
    skip = 0  # auxiliary entries follow some symbols
    for place in _entries(offset, count, 18):
        if skip:
            skip -= 1
            continue
        short, value, section, _, storage, skip = _unpack("<8sIhHBB", data, place)
        if storage == _COFF_EXTERNAL:
            zero, name_at = struct.unpack("<II", short)
            name = _padded_name(short) if zero else name_of(name_at)
            yield ObjectSymbol(name, _index(section - 1, sections), value)


def _index(section: int, sections: Sequence[ObjectSection]) -> int | None:
    return section if 0 <= section < len(sections) else None


def _entries(offset: int, count: int, size: int) -> range:
    if count > _MAX_SYMBOLS:
        raise Malformed(f"it claims {count} symbols")
    return range(offset, offset + count * size, size)


def _unpack(format_: str, data: bytes, offset: int) -> tuple[Any, ...]:
    try:
        return struct.unpack_from(format_, data, offset)
    except struct.error:
        raise Malformed(f"it ends before what should be at {offset}") from None


def _slice(data: bytes, offset: int, size: int) -> bytes:
    if offset + size > len(data):
        raise Malformed(f"its strings end at {offset + size}, but the file at {len(data)}")
    return data[offset : offset + size]


def _padded_name(name: bytes) -> str:
    return decode_name(name.rstrip(b"\0"))
