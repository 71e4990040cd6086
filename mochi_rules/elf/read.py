"""Reads a .cwasm file: pyelftools decodes the container, the symbol table is decoded in bulk.

Of pyelftools, the structures are used without `ELFFile`, which would load all that reads DWARF, and
make every structure anew for each file.
"""

from __future__ import annotations

import io
import struct
from functools import lru_cache
from itertools import islice
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.common.utils import struct_parse
from elftools.elf.structs import ELFStructs

from mochi_rules.base.diagnostic import fail
from mochi_rules.elf.artifact import Artifact, Header, Section, Symbol
from mochi_rules.elf.decode import Malformed, Names, decode_name

MAX_SECTIONS = 256  # Wasmtime writes fewer than 40
_MAX_SECTION_NAME = 256
_MAGIC = b"\x7fELF"
_IDENT = 16  # bytes
_CLASSES, _ORDERS = {1: 32, 2: 64}, {1: True, 2: False}  # of EI_CLASS and EI_DATA


def read_artifact(data: bytes, name: str = "the artifact") -> Artifact:
    """Decode an ELF file that may be a .cwasm; `name` is what messages call it.

    Only what keeps the file from being decoded is an error here: whether the values make sense
    is the business of the checks. Memory and time are bounded by the size of `data`.

    Emits: A020 (not an ELF file), A021 (damaged).

    Raises:
        MochiError: The bytes are not an ELF file, or one that cannot be decoded.
    """
    if not data.startswith(_MAGIC):
        what = "it is empty" if not data else f"it starts with `{data[:4].hex(' ')}`"
        raise fail("A020", f"{name} is not a .cwasm: not an ELF file, {what}")
    try:
        return _decode(data)
    except Malformed as error:
        raise fail("A021", f"{name} is damaged: {error}", help="compile it again") from None


def _decode(data: bytes) -> Artifact:
    ident = data[:_IDENT]
    if len(ident) < _IDENT or ident[4] not in _CLASSES or ident[5] not in _ORDERS:
        raise Malformed("its ELF header cannot be decoded")
    kind = ident[4:6]
    try:
        raw = struct_parse(_structures(kind).Elf_Ehdr, io.BytesIO(data))
    except ELFError as error:
        raise Malformed(f"its ELF header cannot be decoded ({str(error).lower()})") from None
    header = _header(ident, raw)
    named = raw["e_type"], raw["e_machine"], raw["e_ident"]["EI_OSABI"]
    sections = _sections(data, header, _structures(kind, named).Elf_Shdr)
    return Artifact(data, header, sections, _symbols(data, header, sections))


@lru_cache(16)
def _structures(kind: bytes, named: tuple[Any, Any, Any] | None = None) -> ELFStructs:
    """Return the structures of a kind of file: the header, and with its values also the others.

    `kind` is EI_CLASS and EI_DATA.
    """
    structures = ELFStructs(elfclass=_CLASSES[kind[0]], little_endian=_ORDERS[kind[1]])
    structures.create_basic_structs()
    if named is not None:
        structures.create_advanced_structs(*named)
    return structures


def _header(ident: bytes, raw: Any) -> Header:
    return Header(
        elf_class=_CLASSES[ident[4]],
        little_endian=_ORDERS[ident[5]],
        ident_version=ident[6],
        os_abi=ident[7],
        abi_version=ident[8],
        ident_padding=ident[9:],
        type=_named(raw["e_type"]),
        machine=_named(raw["e_machine"]),
        version=_named(raw["e_version"]),
        entry=raw["e_entry"],
        segment_table=raw["e_phoff"],
        section_table=raw["e_shoff"],
        flags=raw["e_flags"],
        header_size=raw["e_ehsize"],
        segment_size=raw["e_phentsize"],
        segment_count=raw["e_phnum"],
        section_size=raw["e_shentsize"],
        section_count=raw["e_shnum"],
        names_index=raw["e_shstrndx"],
    )


def _named(value: str | int) -> str:
    return value if isinstance(value, str) else f"{value:#x}"


def _sections(data: bytes, header: Header, entry: Any) -> tuple[Section, ...]:
    if not header.section_count:
        return ()
    if header.section_count > MAX_SECTIONS:
        raise Malformed(f"it claims {header.section_count} sections, more than {MAX_SECTIONS}")
    if header.section_size != entry.sizeof():
        raise Malformed(
            f"its section headers have {header.section_size} bytes, not {entry.sizeof()}"
        )
    end = header.section_table + header.section_count * header.section_size
    if end > len(data):
        raise Malformed(f"its section table ends at {end}, but the file at {len(data)}")
    offsets = range(header.section_table, end, header.section_size)
    stream = io.BytesIO(data)
    raw = [struct_parse(entry, stream, offset) for offset in offsets]
    names = _names_table(data, header, raw)
    return tuple(_section(index, entry, names) for index, entry in enumerate(raw))


def _names_table(data: bytes, header: Header, raw: list[Any]) -> bytes:
    if header.names_index >= len(raw):
        raise Malformed(
            f"section {header.names_index} should hold the names, but there are {len(raw)} sections"
        )
    table = raw[header.names_index]
    return _range(data, table["sh_offset"], table["sh_size"], "the table of section names")


def _section(index: int, raw: Any, names: bytes) -> Section:
    start = raw["sh_name"]
    end = names.find(b"\0", start, start + _MAX_SECTION_NAME)
    if end < 0:
        raise Malformed(f"the name of section {index} is not in the table of section names")
    return Section(
        index=index,
        name=decode_name(names[start:end]),
        type=_named(raw["sh_type"]),
        flags=raw["sh_flags"],
        address=raw["sh_addr"],
        offset=raw["sh_offset"],
        size=raw["sh_size"],
        link=raw["sh_link"],
        info=raw["sh_info"],
        alignment=raw["sh_addralign"],
        entry_size=raw["sh_entsize"],
    )


def _range(data: bytes, offset: int, size: int, what: str) -> bytes:
    if offset + size > len(data):
        raise Malformed(f"{what} ends at {offset + size}, but the file at {len(data)}")
    return data[offset : offset + size]


def _symbols(data: bytes, header: Header, sections: tuple[Section, ...]) -> tuple[Symbol, ...]:
    """Decode the symbol table of a 64-bit file.

    pyelftools takes 45 µs for a symbol, this 4 µs; a test holds the two equal.
    """
    table = next((section for section in sections if section.type == "SHT_SYMTAB"), None)
    if table is None or header.elf_class != 64:
        return ()
    entry = struct.Struct("<IBBHQQ" if header.little_endian else ">IBBHQQ")
    content = _range(data, table.offset, table.size, "the symbol table")
    if table.entry_size != entry.size or table.size % entry.size:
        raise Malformed(
            f"its symbol table has {table.size} bytes in entries of {table.entry_size}, "
            f"expected entries of {entry.size}"
        )
    if table.link >= len(sections):
        raise Malformed(f"its symbols take their names from section {table.link}, not there")
    strings = sections[table.link]
    what = "the table of symbol names"
    name_of = Names(_range(data, strings.offset, strings.size, what), what)
    return tuple(
        Symbol(name_of(name), info & 15, info >> 4, other, section, value, size)
        for name, info, other, section, value, size in islice(entry.iter_unpack(content), 1, None)
    )
