"""The checks of an object that Cranelift made of a program: code, data, and what they import."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from mochi_rules.base.printable import printable
from mochi_rules.elf.checks.object_files import (
    ObjectExpectation,
    machine,
    refuse_unsound,
    relocatable,
    stack_note,
)
from mochi_rules.elf.checks.table import MAX_MESSAGES, Failure
from mochi_rules.elf.decode import Malformed
from mochi_rules.elf.object_files import read_object
from mochi_rules.elf.object_unwind import UNWIND_SECTIONS, Place, read_entries
from mochi_rules.formats import cpu_note
from mochi_rules.platforms.architecture import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.elf.object_files import ObjectImage
    from mochi_rules.platforms.architecture import CpuLevel

# What the host in C calls or reads, and what it gives: `toolchains/clif/host`.
PROGRAM = "mochi_program"
EXPORTS = frozenset({PROGRAM, "mochi_lines", "mochi_files"})
LIBRARY = "mochi_exports"  # what an object defines too of which C can call functions
IMPORTS = frozenset({
    "mochi_start", "mochi_memory", "mochi_pages", "mochi_grow", "mochi_fill", "memmove",
    "mochi_wasi_fd_write", "mochi_wasi_fd_read", "mochi_wasi_fd_fdstat_get",
    "mochi_wasi_clock_time_get", "mochi_wasi_environ_sizes_get", "mochi_wasi_environ_get",
    "mochi_wasi_proc_exit",
    "ceil", "floor", "trunc", "nearbyint",  # of the C library, for processors without them
    "_GLOBAL_OFFSET_TABLE_",
})  # fmt: skip
_RELOCATIONS = {
    row.name: frozenset((*row.address_relocations, *row.code_relocations)) for row in ARCHITECTURES
}


def exports(image: ObjectImage, _wanted: ObjectExpectation) -> Iterator[str]:
    """It defines what the host needs, and nothing else that a linker sees."""
    found = {symbol.name for symbol in image.symbols if symbol.section is not None}
    for name in sorted(EXPORTS - found):
        yield f"expected a definition of `{name}`, got none"
    for name in sorted(found - EXPORTS - {LIBRARY}):
        yield f"`{name}` is visible to other objects"


def imports(image: ObjectImage, _wanted: ObjectExpectation) -> Iterator[str]:
    """It needs nothing but what the host gives."""
    found = {symbol.name for symbol in image.symbols if symbol.section is None}
    yield from (f"`{name}` is not a function of the host" for name in sorted(found - IMPORTS))


def code(image: ObjectImage, _wanted: ObjectExpectation) -> Iterator[str]:
    """It has code, and no section is writable and executable."""
    if not any(section.is_executable and section.size for section in image.sections):
        yield "expected code, got none"
    for section in image.sections:
        # Everything but data is writable until it is linked, in Mach-O.
        if image.format != "macho" and section.is_executable and section.is_writable:
            yield f"`{section.name}` is writable and executable"


def relocations(image: ObjectImage, _wanted: ObjectExpectation) -> Iterator[str]:
    """In ELF, a linker writes addresses, distances and calls, and nothing else."""
    known = _RELOCATIONS.get(image.cpu, frozenset())
    for section in image.sections:
        for number in sorted(section.relocation_types - known):
            yield f"`{section.name}` has a relocation of the type {number}"


def unwind(image: ObjectImage, _wanted: ObjectExpectation) -> Iterator[str]:
    """Debuggers, profilers and systems find the callers of every function."""
    where = UNWIND_SECTIONS[image.format]
    try:
        found = read_entries(image)
    except Malformed as error:
        yield f"`{where}` is damaged: {error}"
        return
    if found is None:
        yield f"expected `{where}`, got none"
        return
    sizes = dict(found)
    for symbol in image.symbol_table:
        if symbol is None or symbol.section is None or not symbol.is_function:
            continue
        size = sizes.pop(Place(symbol.section, symbol.offset), None)
        if size is None:
            yield f"`{where}` has no entry for `{symbol.name}`"
        elif symbol.size not in (None, size):
            yield f"`{where}` has {size} bytes of `{symbol.name}`, which has {symbol.size}"
    for start in sizes:
        yield f"`{where}` has an entry for {start.offset:#x}, where no function begins"


def cpu_level(image: ObjectImage, wanted: ObjectExpectation) -> Iterator[str]:
    """It says what CPU level its code needs, and that is not above the one that was requested."""
    level = level_of(image)
    if level is None:
        yield f"expected the name of a CPU level of {image.cpu}, got none"
    elif wanted.cpu_level and not set(level.flags) <= set(wanted.cpu_level.flags):
        yield f"expected code for {wanted.cpu_level.name}, got code for {level.name}"


def level_of(image: ObjectImage) -> CpuLevel | None:
    """Return the CPU level that the code of a program needs; None where no level is named."""
    section = image.section(cpu_note.SECTIONS[image.format])
    note = image.content(section) if section else b""
    name = cpu_note.read_cpu_level(note, little_endian=image.little_endian)
    levels = (level for row in ARCHITECTURES if row.name == image.cpu for level in row.cpu_levels)
    return next((level for level in levels if level.name == name), None)


NATIVE_CHECKS: tuple[tuple[str, Callable[[ObjectImage, ObjectExpectation], Iterator[str]]], ...] = (
    ("relocatable", relocatable),
    ("machine", machine),
    ("cpu-level", cpu_level),
    ("exports", exports),
    ("imports", imports),
    ("code", code),
    ("relocations", relocations),
    ("unwind", unwind),
    ("stack-note", stack_note),
)


def is_native(image: ObjectImage) -> bool:
    """Return whether an object is one that Cranelift made of a program."""
    return any(item.name == PROGRAM and item.section is not None for item in image.symbols)


def verify_native(image: ObjectImage, expectation: ObjectExpectation) -> list[Failure]:
    """Return what is wrong with an object of a program, in the order of NATIVE_CHECKS.

    Each check reports MAX_MESSAGES at most.
    """
    return [
        Failure(name, printable(message))
        for name, check in NATIVE_CHECKS
        for message in islice(check(image, expectation), MAX_MESSAGES)
    ]


def require_sound_native(data: bytes, name: str, expectation: ObjectExpectation) -> None:
    """Verify an object of a program; `name` is what messages call it.

    Emits: A021, A024 (cannot be decoded), A025 (unsound; a note for each failed check).

    Raises:
        MochiError: The object cannot be decoded, or some checks fail.
    """
    refuse_unsound(name, verify_native(read_object(data, name), expectation))
