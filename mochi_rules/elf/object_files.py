"""Reads relocatable objects of three formats into one form: sections and symbols.

ELF is decoded by pyelftools. Of Mach-O and COFF only what an object that holds data or a program
needs is read.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Literal

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.elf.artifact import EXECUTE, WRITE
from mochi_rules.elf.decode import Malformed, Names, decode_name
from mochi_rules.elf.read import read_artifact
from mochi_rules.formats import coff, elf, macho
from mochi_rules.platforms.architecture import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mochi_rules.elf.artifact import Artifact, Section

_ELF_CPUS = {row.elf_name: row.name for row in ARCHITECTURES}
_MACHO_CPUS = {row.macho_cpu[0]: row.name for row in ARCHITECTURES if row.macho_cpu}
COFF_CPUS = {row.coff_machine: row.name for row in ARCHITECTURES if row.coff_machine}
_MAX_SECTIONS, _MAX_SYMBOLS = 256, 65536
_STRINGS = "its strings"
_RELOCATIONS = {"SHT_REL": elf.REL, "SHT_RELA": elf.RELA}
_RELOCATION_TYPE = 0xFFFF_FFFF  # of the information in an entry


@dataclass(frozen=True, slots=True)
class ObjectSection:
    """A section; `offset` is that in the file, `alignment` is in bytes.

    `relocations` is not 0 where there are some, and `relocation_table` has them as in the file;
    `relocation_types` is known in ELF alone.
    """

    name: str
    address: int
    offset: int
    size: int
    alignment: int
    is_writable: bool
    is_executable: bool
    relocations: int
    relocation_table: bytes = b""
    relocation_types: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ObjectSymbol:
    """A symbol as C names it.

    `section` is an index, None where the symbol is not defined; `offset` is that in the section.
    `size` is known in ELF alone.
    """

    name: str
    section: int | None
    offset: int
    is_global: bool = True
    is_function: bool = False
    size: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectImage:
    """A decoded object. `format` is `elf`, `macho` or `coff`; `cpu` is as in a platform.

    `symbol_table` has all symbols by the number that relocations have for them, and None for the
    entries that are none.
    """

    data: bytes
    format: str
    cpu: str
    little_endian: bool
    is_relocatable: bool
    sections: tuple[ObjectSection, ...]
    symbol_table: tuple[ObjectSymbol | None, ...]

    @property
    def symbols(self) -> tuple[ObjectSymbol, ...]:
        """The global symbols."""
        return tuple(item for item in self.symbol_table if item and item.is_global)

    @property
    def byte_order(self) -> Literal["little", "big"]:
        """The order of the bytes in numbers."""
        return "little" if self.little_endian else "big"

    def section(self, name: str) -> ObjectSection | None:
        """Return the first section of a name, or None."""
        return next((item for item in self.sections if item.name == name), None)

    def content(self, section: ObjectSection) -> bytes:
        """Return the bytes of a section, as far as they are in the file."""
        return self.data[section.offset : section.offset + section.size]

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
        symbols = self.symbols
        if len(symbols) != 2:
            return None
        end, start = sorted(symbols, key=lambda symbol: symbol.name)
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
        if data.startswith(elf.MAGIC):
            return _read_elf(data, name)
        if data.startswith(macho.MAGIC):
            return _read_macho(data)
        if data[:2] in (machine.to_bytes(2, "little") for machine in COFF_CPUS):
            return _read_coff(data)
    except Malformed as error:
        raise fail("A024", f"{name} is damaged: {error}", help="build it again") from None
    raise fail("A024", f"{name} is neither an ELF, nor a Mach-O, nor a COFF object")


def _read_elf(data: bytes, name: str) -> ObjectImage:
    artifact = read_artifact(data, name)
    header = artifact.header
    tables = {item.info: item for item in artifact.sections if item.type in _RELOCATIONS}
    types = {index: _relocation_types(artifact, table) for index, table in tables.items()}
    sections = tuple(
        ObjectSection(
            name=section.name,
            address=section.address,
            offset=section.offset,
            size=section.size,
            alignment=section.alignment,
            is_writable=bool(section.flags & WRITE),
            is_executable=bool(section.flags & EXECUTE),
            relocations=tables[section.index].size if section.index in tables else 0,
            relocation_table=_rela(artifact, tables.get(section.index)),
            relocation_types=types.get(section.index, frozenset()),
        )
        for section in artifact.sections
    )
    symbols = tuple(
        ObjectSymbol(
            symbol.name,
            _index(symbol.section, sections) if symbol.section else None,
            symbol.value,
            is_global=bool(symbol.binding),
            is_function=symbol.type == elf.FUNCTION,
            size=symbol.size,
        )
        for symbol in artifact.symbols
    )
    return ObjectImage(
        data=data,
        format="elf",
        cpu=_ELF_CPUS.get(header.machine, header.machine),
        little_endian=header.little_endian,
        is_relocatable=header.type == "ET_REL" and header.os_abi == 0,
        sections=sections,
        symbol_table=(None, *symbols),  # the first entry of the file is none
    )


def _rela(artifact: Artifact, table: Section | None) -> bytes:
    return artifact.content(table) if table and table.type == "SHT_RELA" else b""


def _relocation_types(artifact: Artifact, section: Section) -> frozenset[int]:
    form = ("<" if artifact.header.little_endian else ">") + _RELOCATIONS[section.type]
    content = artifact.content(section)
    whole = len(content) - len(content) % struct.calcsize(form)
    entries = struct.iter_unpack(form, content[:whole])
    return frozenset(entry[1] & _RELOCATION_TYPE for entry in entries)


def _read_macho(data: bytes) -> ObjectImage:
    _, cpu, _, file_type, commands, *_ = _unpack(macho.HEADER.format, data, 0)
    sections: list[ObjectSection] = []
    tables: list[tuple[int, ...]] = []
    position = macho.HEADER.size
    for _ in range(commands):
        command, size = _unpack(macho.COMMAND.format, data, position)
        if size < macho.COMMAND.size or position + size > len(data):
            raise Malformed(f"the load command at {position} has a size of {size}")
        if command == macho.SEGMENT_64:
            sections += _macho_sections(data, position, size)
        elif command == macho.SYMTAB and not tables:
            tables.append(_unpack(macho.SYMTAB_COMMAND.format, data, position)[2:])
        position += size
    return ObjectImage(
        data=data,
        format="macho",
        cpu=_MACHO_CPUS.get(cpu, f"{cpu:#x}"),
        little_endian=True,
        is_relocatable=file_type == macho.OBJECT,
        sections=tuple(sections),
        symbol_table=tuple(
            symbol for table in tables for symbol in _macho_symbols(data, table, sections)
        ),
    )


def _macho_sections(data: bytes, command: int, size: int) -> Iterator[ObjectSection]:
    count = _unpack(macho.SEGMENT.format, data, command)[-2]
    if macho.SEGMENT.size + macho.SECTION.size * count > size:
        raise Malformed(f"a segment claims {count} sections in a load command of {size} bytes")
    for index in range(count):
        place = command + macho.SEGMENT.size + macho.SECTION.size * index
        fields = _unpack(macho.SECTION.format, data, place)
        name, segment, address, size, offset, power, table, relocations, flags, *_ = fields
        segment = _padded_name(segment)
        yield ObjectSection(
            name=f"{segment},{_padded_name(name)}",
            address=address,
            offset=offset,
            size=size,
            alignment=1 << min(power, 63),
            is_writable=segment != macho.READ_ONLY_SEGMENT,
            is_executable=bool(flags & macho.CODE),
            relocations=relocations,
            relocation_table=data[table : table + relocations * macho.RELOCATION.size],
        )


def _macho_symbols(
    data: bytes, table: tuple[int, ...], sections: list[ObjectSection]
) -> Iterator[ObjectSymbol | None]:
    offset, count, strings_at, strings_size = table
    name_of = Names(_slice(data, strings_at, strings_size), _STRINGS)
    for place in _entries(offset, count, macho.SYMBOL.size):
        name_at, kind, section, _, value = _unpack(macho.SYMBOL.format, data, place)
        if kind & macho.STAB:
            yield None
            continue
        name = name_of(name_at).removeprefix("_")
        is_defined = kind & macho.TYPE == macho.IN_SECTION
        index = _index(section - 1, sections) if is_defined else None
        found = None if index is None else sections[index]
        yield ObjectSymbol(
            name,
            index,
            value - (found.address if found else 0),
            is_global=bool(kind & macho.EXTERNAL),
            is_function=bool(found and found.is_executable),
        )


def _read_coff(data: bytes) -> ObjectImage:
    fields = _unpack(coff.HEADER.format, data, 0)
    machine, count, _, symbols_at, symbol_count, optional, _ = fields
    if count > _MAX_SECTIONS:
        raise Malformed(f"it claims {count} sections")
    table = coff.HEADER.size + optional
    sections = tuple(
        _coff_section(data, table + coff.SECTION.size * index) for index in range(count)
    )
    return ObjectImage(
        data=data,
        format="coff",
        cpu=COFF_CPUS[machine],
        little_endian=True,
        is_relocatable=optional == 0,
        sections=sections,
        symbol_table=tuple(_coff_symbols(data, symbols_at, symbol_count, sections)),
    )


def _coff_section(data: bytes, place: int) -> ObjectSection:
    fields = _unpack(coff.SECTION.format, data, place)
    name, _, address, size, offset, table, _, relocations, _, flags = fields
    power = flags >> coff.ALIGNMENT_SHIFT & coff.ALIGNMENT_MASK
    return ObjectSection(
        name=_padded_name(name),
        address=address,
        offset=offset,
        size=size,
        alignment=1 << power - 1 if power else coff.DEFAULT_ALIGNMENT,
        is_writable=bool(flags & coff.WRITE),
        is_executable=bool(flags & (coff.EXECUTE | coff.CODE)),
        relocations=relocations,
        relocation_table=data[table : table + relocations * coff.RELOCATION.size],
    )


def _coff_symbols(
    data: bytes, offset: int, count: int, sections: tuple[ObjectSection, ...]
) -> Iterator[ObjectSymbol | None]:
    strings_at = offset + coff.SYMBOL.size * count
    (size,) = _unpack(coff.NUMBER.format, data, strings_at)
    name_of = Names(_slice(data, strings_at, size), _STRINGS)
    skip = 0  # auxiliary entries follow some symbols
    for place in _entries(offset, count, coff.SYMBOL.size):
        if skip:
            skip -= 1
            yield None
            continue
        short, value, section, kind, storage, skip = _unpack(coff.SYMBOL.format, data, place)
        zero, name_at = coff.LONG_NAME.unpack(short)
        yield ObjectSymbol(
            _padded_name(short) if zero else name_of(name_at),
            _index(section - 1, sections),
            value,
            is_global=storage == coff.EXTERNAL,
            is_function=kind == coff.FUNCTION,
        )


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
