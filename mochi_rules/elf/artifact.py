"""A .cwasm file as values: the ELF header, sections and symbols, without any judgment."""

from __future__ import annotations

import re

from mochi_rules.base.dataclass import dataclass

WRITE, ALLOCATE, EXECUTE, INFO_LINK = 0x1, 0x2, 0x4, 0x40  # sh_flags
FLAG_NAMES = {WRITE: "W", ALLOCATE: "A", EXECUTE: "X", INFO_LINK: "I"}

_FUNCTION = re.compile(r"wasm\[(\d{1,10})\]::function\[(\d{1,10})\](?:::(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of the ELF header.

    `type`, `machine` and `version` have pyelftools' names (`ET_REL`, `EM_X86_64`,
    `EV_CURRENT`), or hexadecimal digits where there is no name. Offsets and sizes are in bytes.
    `ident_padding` is the seven bytes that end the identification.
    """

    elf_class: int
    little_endian: bool
    ident_version: int
    os_abi: int
    abi_version: int
    ident_padding: bytes
    type: str
    machine: str
    version: str
    entry: int
    segment_table: int
    section_table: int
    flags: int
    header_size: int
    segment_size: int
    segment_count: int
    section_size: int
    section_count: int
    names_index: int


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the section table. `type` is named as in Header; `flags` is a bit set."""

    index: int
    name: str
    type: str
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int

    @property
    def end(self) -> int:
        """The offset of the first byte after the section."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class Symbol:
    """An entry of the symbol table. `type`, `binding` and `section` are the ELF numbers."""

    name: str
    type: int
    binding: int
    visibility: int
    section: int
    value: int
    size: int

    @property
    def function(self) -> tuple[int, int, str] | None:
        """The numbers of the module and of the function in it, and its name or an empty string.

        The numbers count imports too. None for trampolines, builtins and everything else.
        """
        match = _FUNCTION.fullmatch(self.name)
        return (int(match[1]), int(match[2]), match[3] or "") if match else None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A decoded ELF file. Symbols come without the empty first entry of their table."""

    data: bytes
    header: Header
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]

    def section(self, name: str) -> Section | None:
        """Return the first section of a name, or None."""
        return next((section for section in self.sections if section.name == name), None)

    def content(self, section: Section) -> bytes:
        """Return the bytes of a section; as many as there are when it leaves the file."""
        return self.data[section.offset : section.end]


def flag_letters(flags: int) -> str:
    """Return section flags as readelf shows them, `-` for none, unknown bits as a number."""
    letters = "".join(letter for bit, letter in FLAG_NAMES.items() if flags & bit)
    unknown = flags & ~sum(FLAG_NAMES)
    return letters + (f"+{unknown:#x}" if unknown else "") or "-"
