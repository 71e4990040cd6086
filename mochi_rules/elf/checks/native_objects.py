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
from mochi_rules.elf.object_files import read_object
from mochi_rules.platforms.architecture import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.elf.object_files import ObjectImage

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
_UNWIND = ".eh_frame"
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
    """In ELF, debuggers and profilers find the callers of every function."""
    has_unwind = any(item.name == _UNWIND and item.size for item in image.sections)
    if image.format == "elf" and not has_unwind:
        yield f"expected `{_UNWIND}`, got none"


NATIVE_CHECKS: tuple[tuple[str, Callable[[ObjectImage, ObjectExpectation], Iterator[str]]], ...] = (
    ("relocatable", relocatable),
    ("machine", machine),
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
