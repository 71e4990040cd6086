"""Checks of the ELF header. Each yields what is wrong; the numbers are those of CHECKS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.elf.checks.expectation import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.elf.checks.expectation import Subject

OS_ABI = 200  # ELFOSABI_WASMTIME
PULLEY_FLAGS = 0xC
_KIND_FLAGS = sum(kind.value for kind in Kind)
_ENTRY_SIZE, _HEADER_SIZE = 64, 64  # Elf64_Shdr, Elf64_Ehdr


def elf_class(subject: Subject) -> Iterator[str]:
    """1: the file is 64-bit ELF, on every target. Source: `ElfFile64` in the loader."""
    found = subject.artifact.header.elf_class
    if found != 64:
        yield f"expected a 64-bit ELF file, got {found} bits"


def os_abi(subject: Subject) -> Iterator[str]:
    """2: EI_OSABI is Wasmtime's own. Source: crates/environ/src/obj.rs."""
    found = subject.artifact.header.os_abi
    if found != OS_ABI:
        yield f"expected OS/ABI {OS_ABI}, got {found}"


def abi_version(subject: Subject) -> Iterator[str]:
    """3: EI_ABIVERSION is 0. Source: `detect_precompiled` of the loader."""
    found = subject.artifact.header.abi_version
    if found:
        yield f"expected ABI version 0, got {found}"


def byte_order(subject: Subject) -> Iterator[str]:
    """4: the byte order is the target's. Source: ELF gABI, EI_DATA."""
    found = subject.artifact.header.little_endian
    if subject.layout and found != subject.layout.little_endian:
        yield f"expected {_endian(not found)} byte order, got {_endian(found)}"


def _endian(little: bool) -> str:  # noqa: FBT001 - the one argument
    return "little-endian" if little else "big-endian"


def file_type(subject: Subject) -> Iterator[str]:
    """5: the file is relocatable. Source: the `object` crate's writer."""
    found = subject.artifact.header.type
    if found != "ET_REL":
        yield f"expected type `ET_REL`, got `{found}`"


def no_program(subject: Subject) -> Iterator[str]:
    """6: there is no entry point and no program header. Source: measured on 48.0.0."""
    header = subject.artifact.header
    if header.entry:
        yield f"expected no entry point, got {header.entry:#x}"
    if header.segment_count or header.segment_table or header.segment_size:
        yield f"expected no program headers, got {header.segment_count} at {header.segment_table}"


def machine(subject: Subject) -> Iterator[str]:
    """7: e_machine is the target's. Source: ELF gABI, e_machine."""
    found = subject.artifact.header.machine
    if subject.layout and found != subject.layout.machine:
        yield f"expected machine `{subject.layout.machine}`, got `{found}`"


def known_flags(subject: Subject) -> Iterator[str]:
    """8: e_flags has no bit that Wasmtime does not define. Source: crates/environ/src/obj.rs."""
    unknown = subject.artifact.header.flags & ~(_KIND_FLAGS | PULLEY_FLAGS)
    if unknown:
        yield f"expected e_flags of four bits, got the unknown bits {unknown:#x}"


def kind(subject: Subject) -> Iterator[str]:
    """9: e_flags says module or component, and it is the requested one. Source: the loader."""
    bits = subject.artifact.header.flags & _KIND_FLAGS
    if bits not in (Kind.MODULE.value, Kind.COMPONENT.value):
        yield f"expected e_flags to say module or component, got {bits:#x}"
        return
    found, wanted = Kind(bits), subject.expectation.kind
    if wanted not in (None, found):
        yield f"expected a {wanted.name.lower()}, got a {found.name.lower()}"


def pulley(subject: Subject) -> Iterator[str]:
    """10: e_flags marks Pulley code if, and only if, the target is Pulley. Source: obj.rs."""
    found = subject.artifact.header.flags & PULLEY_FLAGS
    if subject.layout and found != subject.layout.pulley_flag:
        yield f"expected Pulley bits {subject.layout.pulley_flag:#x} in e_flags, got {found:#x}"


def file_end(subject: Subject) -> Iterator[str]:
    """11: the section table ends the file, so nothing is appended. Source: measured on 48.0.0."""
    header = subject.artifact.header
    end = header.section_table + header.section_count * _ENTRY_SIZE
    size = len(subject.artifact.data)
    if end != size:
        yield f"expected the file to end with its section table at {end}, got {size} bytes"


def geometry(subject: Subject) -> Iterator[str]:
    """35: versions, sizes and padding of the header are those of ELF. Source: ELF gABI, ch. 4."""
    header = subject.artifact.header
    if header.ident_version != 1 or header.version != "EV_CURRENT":
        yield f"expected ELF version 1, got {header.ident_version} and `{header.version}`"
    if any(header.ident_padding):
        yield f"expected zeros after the identification, got `{header.ident_padding.hex(' ')}`"
    if header.header_size != _HEADER_SIZE:
        yield f"expected a header of {_HEADER_SIZE} bytes, got {header.header_size}"
    if header.section_size != _ENTRY_SIZE:
        yield f"expected section headers of {_ENTRY_SIZE} bytes, got {header.section_size}"
    if header.names_index != header.section_count - 1:
        yield f"expected the last section to hold the names, got section {header.names_index}"
