"""Checks of the section table and of how the sections are placed in the file."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from mochi_rules.elf.artifact import ALLOCATE, EXECUTE, INFO_LINK, WRITE, Section, flag_letters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mochi_rules.elf.checks.expectation import Subject

# Section types and flags as Wasmtime 48.0.0 writes them. Source: crates/environ/src/obj.rs and
# the names that the loader accepts, crates/wasmtime/src/runtime/code_memory.rs.
_DATA = ("SHT_PROGBITS", ALLOCATE)
_KINDS = {
    "": ("SHT_NULL", 0),
    ".wasmtime.engine": _DATA,
    ".wasmtime.bti": _DATA,
    ".text": ("SHT_PROGBITS", ALLOCATE | EXECUTE),
    ".eh_frame": _DATA,
    ".xdata": _DATA,
    ".pdata": _DATA,
    ".wasmtime.addrmap": _DATA,
    ".wasmtime.stackmap": _DATA,
    ".wasmtime.traps": _DATA,
    ".wasmtime.exceptions": _DATA,
    ".wasmtime.frames": _DATA,
    ".rodata.wasm": _DATA,
    ".name.wasm": _DATA,
    ".wasmtime.dwarf": ("SHT_PROGBITS", 0),
    ".wasmtime.wasm_bytecode": _DATA,
    ".wasmtime.wasm_bytecode_ends": _DATA,
    ".wasmtime.info": _DATA,
    ".symtab": ("SHT_SYMTAB", 0),
    ".strtab": ("SHT_STRTAB", 0),
    ".shstrtab": ("SHT_STRTAB", 0),
}
_DEBUG = ("SHT_PROGBITS", 0)
_DEBUG_RELOCATIONS = ("SHT_RELA", INFO_LINK)
_LEADING = ("", ".wasmtime.engine", ".wasmtime.bti", ".text")
_REQUIRED = (
    *_LEADING,
    *(".wasmtime.traps", ".wasmtime.exceptions", ".rodata.wasm", ".wasmtime.info", ".shstrtab"),
)
PULLEY_TEXT_FLAGS = 0x1  # SH_WASMTIME_NOT_EXECUTED, the same bit as SHF_WRITE
_SYMBOL_SIZE, _RELOCATION_SIZE, _TABLE_ALIGNMENT = 24, 24, 8  # of ELF64


def unique_names(subject: Subject) -> Iterator[str]:
    """12: no two sections have one name; the loader takes the last. Source: the loader."""
    counts = Counter(section.name for section in subject.artifact.sections)
    yield from (f"section `{name}` appears {n} times" for name, n in counts.items() if n > 1)


def known_names(subject: Subject) -> Iterator[str]:
    """13: every section is one that the loader accepts. Source: the loader, code_memory.rs."""
    for section in subject.artifact.sections:
        if _kind(section.name) is None:
            yield f"section `{section.name}` is not one that Wasmtime writes"


def leading_sections(subject: Subject) -> Iterator[str]:
    """14: the engine section, the branch protection byte and the code come first, in order.

    Source: `build_module_artifacts` in crates/wasmtime/src/compile.rs.
    """
    found = tuple(section.name for section in subject.artifact.sections[: len(_LEADING)])
    if found != _LEADING:
        yield f"expected the first sections to be {_quoted(_LEADING)}, got {_quoted(found)}"


def no_addresses(subject: Subject) -> Iterator[str]:
    """15: no section has an address; the loader places them. Source: ELF gABI, sh_addr."""
    for section in subject.artifact.sections:
        if section.address:
            yield f"expected `{section.name}` at no address, got {section.address:#x}"


def not_writable(subject: Subject) -> Iterator[str]:
    """16: no section is writable. Pulley code has that bit, with another meaning.

    Source: `SH_WASMTIME_NOT_EXECUTED` in crates/environ/src/obj.rs.
    """
    for section in subject.artifact.sections:
        if section.flags & WRITE and not _is_pulley_text(subject, section):
            yield f"`{section.name}` is writable ({flag_letters(section.flags)})"


def not_executable(subject: Subject) -> Iterator[str]:
    """17: no section but the code is executable. Source: measured on 48.0.0."""
    for section in subject.artifact.sections:
        if section.flags & EXECUTE and section.name != ".text":
            yield f"`{section.name}` is executable ({flag_letters(section.flags)})"


def write_xor_execute(subject: Subject) -> Iterator[str]:
    """18: no section is writable and executable. Source: measured on 48.0.0."""
    for section in subject.artifact.sections:
        if section.flags & WRITE and section.flags & EXECUTE:
            yield f"`{section.name}` is both writable and executable"


def text_flags(subject: Subject) -> Iterator[str]:
    """19: the code is allocated and executable, and nothing else. Source: crates/cranelift obj.rs.

    Pulley code is interpreted: its one flag keeps the loader from making it executable.
    """
    text = subject.artifact.section(".text")
    if text is None or subject.layout is None:
        return
    wanted = PULLEY_TEXT_FLAGS if subject.layout.is_pulley else ALLOCATE | EXECUTE
    if text.flags != wanted:
        yield f"expected the flags {flag_letters(wanted)}, got {flag_letters(text.flags)}"


def text_alignment(subject: Subject) -> Iterator[str]:
    """20: the code is aligned to the largest page of the target. Source: `page_size_align`."""
    text = subject.artifact.section(".text")
    if text is None or subject.layout is None:
        return
    wanted = subject.layout.text_alignment
    if text.alignment != wanted:
        yield f"expected an alignment of {wanted}, got {text.alignment}"
    if text.offset % wanted:
        yield f"expected an offset divisible by {wanted}, got {text.offset}"


def text_size(subject: Subject) -> Iterator[str]:
    """21: the code fills whole pages, so that its last page can be protected. Source: obj.rs."""
    text = subject.artifact.section(".text")
    if text is not None and subject.layout and text.size % subject.layout.text_alignment:
        yield f"expected a size divisible by {subject.layout.text_alignment}, got {text.size}"


def placement(subject: Subject) -> Iterator[str]:
    """22: every section is aligned and inside the file. Source: the loader, code_memory.rs."""
    size = len(subject.artifact.data)
    for section in _filled(subject):
        if section.alignment & (section.alignment - 1):
            yield f"`{section.name}` has the alignment {section.alignment}, not a power of two"
        elif section.alignment and section.offset % section.alignment:
            yield f"`{section.name}` at {section.offset} is not aligned to {section.alignment}"
        if section.end > size:
            yield f"`{section.name}` ends at {section.end}, but the file at {size}"


def no_overlap(subject: Subject) -> Iterator[str]:
    """23: no two sections share bytes, nor does one share bytes with header or section table.

    Source: the `object` crate's writer.
    """
    places = [place for place in _in_file(subject) if place.start < place.end]
    for before, after in pairwise(places):
        if after.start < before.end:
            yield f"{after.name} starts at {after.start}, inside {before.name}"


def section_kinds(subject: Subject) -> Iterator[str]:
    """36: type, flags, entry size and links of each section are those Wasmtime writes.

    The W and X flags are left to the checks of their own. Source: the `object` crate's writer.
    """
    sections = subject.artifact.sections
    if sections and sections[0] != Section(0, "", "SHT_NULL", 0, 0, 0, 0, 0, 0, 0, 0):
        yield "expected the first section to be empty"
    for section in sections[1:]:
        kind = _kind(section.name)
        if kind is None:
            continue
        wanted_type, wanted_flags = kind
        if section.type != wanted_type:
            yield f"expected `{section.name}` of type `{wanted_type}`, got `{section.type}`"
        if (section.flags ^ wanted_flags) & ~(WRITE | EXECUTE) and section.name != ".text":
            wanted, found = flag_letters(wanted_flags), flag_letters(section.flags)
            yield f"expected the flags {wanted} for `{section.name}`, got {found}"
        links = (section.link, section.info, section.entry_size)
        wanted_links = _links(subject, section)
        if links != wanted_links:
            wanted = f"link, info and entry size {wanted_links}"
            yield f"expected {wanted} for `{section.name}`, got {links}"


def packing(subject: Subject) -> Iterator[str]:
    """37: sections follow one another as tightly as alignment allows, with zeros between.

    So nothing hides in the file, and no size or offset is wrong unseen. Source: measured on
    48.0.0; the `object` crate's writer.
    """
    data = subject.artifact.data
    for before, after in pairwise(_in_file(subject)):
        wanted = -(-before.end // after.alignment) * after.alignment
        gap = data[before.end : after.start]
        if after.start > wanted:
            yield f"expected {after.name} at {wanted}, right after {before.name}, got {after.start}"
        elif gap.count(0) != len(gap):
            yield f"expected zeros after {before.name}, got {len(gap) - gap.count(0)} other bytes"


def required_sections(subject: Subject) -> Iterator[str]:
    """38: the sections that Wasmtime always writes are there. Source: measured on 48.0.0."""
    found = {section.name for section in subject.artifact.sections}
    yield from (f"section `{name}` is missing" for name in _REQUIRED if name not in found)


def _kind(name: str) -> tuple[str, int] | None:
    if name.startswith(".debug_"):
        return _DEBUG
    if name.startswith(".rela.debug_"):
        return _DEBUG_RELOCATIONS
    return _KINDS.get(name)


def _links(subject: Subject, section: Section) -> tuple[int, int, int]:
    """Return what sh_link, sh_info and sh_entsize should be."""
    by_name = {other.name: other.index for other in subject.artifact.sections}
    if section.type == "SHT_SYMTAB":
        # sh_info is the number of local symbols, which all are; the empty first one counts.
        return by_name.get(".strtab", 0), len(subject.artifact.symbols) + 1, _SYMBOL_SIZE
    if section.type == "SHT_RELA":
        target = by_name.get(section.name.removeprefix(".rela"), 0)
        return by_name.get(".symtab", 0), target, _RELOCATION_SIZE
    return 0, 0, 0


def _is_pulley_text(subject: Subject, section: Section) -> bool:
    is_pulley = subject.layout is not None and subject.layout.is_pulley
    return is_pulley and section.name == ".text" and section.flags == PULLEY_TEXT_FLAGS


def _filled(subject: Subject) -> Iterable[Section]:
    return (section for section in subject.artifact.sections if section.size)


class _Place(NamedTuple):
    """A part of the file, from `start` up to `end`; sorts by place."""

    start: int
    end: int
    name: str
    alignment: int


def _in_file(subject: Subject) -> list[_Place]:
    """Return everything in the file in order: header, sections, section table."""
    header = subject.artifact.header
    table_end = header.section_table + header.section_count * header.section_size
    return sorted(
        [
            _Place(0, header.header_size, "the ELF header", 1),
            *(
                _Place(section.offset, section.end, f"`{section.name}`", section.alignment or 1)
                for section in subject.artifact.sections[1:]
            ),
            _Place(header.section_table, table_end, "the section table", _TABLE_ALIGNMENT),
        ]
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
