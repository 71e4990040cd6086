"""The structural checks of a .cwasm, in one table, and their application.

They find damage, and artifacts other than the requested one. They cannot show whether code is
safe to run: docs/verification.md says what they find, and that only a digest finds everything.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.printable import printable
from mochi_rules.elf.checks import engine_section as engine
from mochi_rules.elf.checks import header
from mochi_rules.elf.checks import section_contents as contents
from mochi_rules.elf.checks import section_table as sections
from mochi_rules.elf.checks import symbol_table as symbols
from mochi_rules.elf.checks.expectation import Expectation, Subject
from mochi_rules.elf.engine_section import decode_engine, schema_of
from mochi_rules.elf.read import read_artifact
from mochi_rules.elf.triple_layout import layout_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.elf.artifact import Artifact


MAX_MESSAGES = 5


@dataclass(frozen=True, slots=True)
class Check:
    """A check: its number, its name, its function, and what damage it finds."""

    number: str
    name: str
    run: Callable[[Subject], Iterator[str]]
    finds: str


@dataclass(frozen=True, slots=True)
class Failure:
    """The name of a check that failed, and what is wrong: what was expected, what was got."""

    check: str
    message: str

    def __str__(self) -> str:
        """Return `name: message`."""
        return f"{self.check}: {self.message}"


_ANOTHER = "an artifact for another target or of another kind"
_HEADER = "a damaged or rewritten ELF header"
_TABLE = "a damaged or rewritten section table"
_SETTINGS = "an artifact made with other settings"

CHECKS: tuple[Check, ...] = (
    Check("1", "class", header.elf_class, _HEADER),
    Check("2", "os-abi", header.os_abi, "an ELF file that is not a .cwasm"),
    Check("3", "abi-version", header.abi_version, _HEADER),
    Check("4", "byte-order", header.byte_order, _ANOTHER),
    Check("5", "file-type", header.file_type, "a linked or rewritten file"),
    Check("6", "no-program", header.no_program, "a linked or rewritten file"),
    Check("7", "machine", header.machine, _ANOTHER),
    Check("8", "known-flags", header.known_flags, _HEADER),
    Check("9", "kind", header.kind, _ANOTHER),
    Check("10", "pulley", header.pulley, _ANOTHER),
    Check("11", "file-end", header.file_end, "bytes appended or missing"),
    Check("12", "unique-names", sections.unique_names, "a duplicate section"),
    Check("13", "known-names", sections.known_names, "a section added by another tool"),
    Check("14", "leading-sections", sections.leading_sections, _TABLE),
    Check("15", "no-addresses", sections.no_addresses, "a linked or rewritten file"),
    Check("16", "not-writable", sections.not_writable, "writable memory"),
    Check("17", "not-executable", sections.not_executable, "executable data"),
    Check("18", "write-xor-execute", sections.write_xor_execute, "writable code"),
    Check("19", "text-flags", sections.text_flags, _TABLE),
    Check("20", "text-alignment", sections.text_alignment, "code that pages cannot protect"),
    Check("21", "text-size", sections.text_size, "code that pages cannot protect"),
    Check("22", "placement", sections.placement, "a truncated file, or a damaged section table"),
    Check("23", "no-overlap", sections.no_overlap, _TABLE),
    Check("24", "eh-frame", contents.eh_frame, "backtraces that would crash"),
    Check("24w", "windows-unwind", contents.windows_unwind, "exceptions that would crash"),
    Check("25", "branch-protection", contents.branch_protection, _SETTINGS),
    Check("26", "relocations", contents.relocations, "code that needs linking"),
    Check("27", "local-symbols", symbols.local_symbols, "a damaged symbol table"),
    Check("28", "functions-in-text", symbols.functions_in_text, "a damaged symbol table"),
    Check("29", "functions-apart", symbols.functions_apart, "a damaged symbol table"),
    Check("30", "code-maps", contents.code_maps, "wrong traps and wrong backtraces"),
    Check("31", "data-alignment", contents.data_alignment, "data that cannot be mapped"),
    Check("32", "engine-section", engine.engine_section, "another version of Wasmtime"),
    Check("33", "target", engine.target, _ANOTHER),
    Check("34", "shared-flags", engine.shared_flags, _SETTINGS),
    Check("34i", "isa-flags", engine.isa_flags, "code for a newer processor"),
    Check("34t", "tunables", engine.tunables, _SETTINGS),
    Check("34f", "features", engine.features, _SETTINGS),
    Check("34s", "sections-of-settings", engine.sections_of_settings, _SETTINGS),
    Check("35", "geometry", header.geometry, _HEADER),
    Check("36", "section-kinds", sections.section_kinds, _TABLE),
    Check("37", "packing", sections.packing, "bytes hidden between sections"),
    Check("38", "required-sections", sections.required_sections, _TABLE),
    Check("39", "relocation-entries", contents.relocation_entries, "damaged debug information"),
    Check("40", "exception-table", contents.exception_table, "exceptions that would crash"),
    Check("41", "stack-maps", contents.stack_maps, "a collector that would crash"),
    Check("42", "function-names", contents.function_names, "damaged names"),
    Check("43", "function-count", symbols.function_count, "another module's artifact"),
    Check("44", "builtins", symbols.builtins, "settings that the code does not have"),
    Check("45", "code-padding", symbols.code_padding, "code hidden between functions"),
    Check("46", "symbol-names", symbols.symbol_names, "a damaged symbol table"),
    Check("47", "string-tables", symbols.string_tables, "a damaged symbol table"),
)


def verify(artifact: Artifact, expectation: Expectation | None = None) -> list[Failure]:
    """Return what is wrong, in the order of CHECKS; empty when the artifact is sound.

    Each check reports MAX_MESSAGES at most. Without an expectation the artifact is checked
    against what it says of itself.
    """
    subject = _subject(artifact, expectation or Expectation())
    return [
        Failure(check.name, printable(message))
        for check in CHECKS
        for message in islice(check.run(subject), MAX_MESSAGES)
    ]


def require_sound(data: bytes, name: str, expectation: Expectation | None = None) -> Artifact:
    """Read and verify an artifact; `name` is what messages call it.

    Emits: A020, A021 (cannot be read), A023 (unsound; a note for each failed check).

    Raises:
        MochiError: The artifact cannot be read, or some checks fail.
    """
    artifact = read_artifact(data, name)
    failures = verify(artifact, expectation)
    if failures:
        count = "1 check fails" if len(failures) == 1 else f"{len(failures)} checks fail"
        notes = tuple(str(failure) for failure in failures)
        raise MochiError(
            Diagnostic("A023", f"{name} is not the expected artifact: {count}", notes=notes)
        )
    return artifact


def _subject(artifact: Artifact, expectation: Expectation) -> Subject:
    found, fault = None, "there is no engine section"
    if section := artifact.section(".wasmtime.engine"):
        try:
            found, fault = decode_engine(artifact.content(section)), ""
        except MochiError as error:
            fault = error.diagnostics[0].message
    triple = expectation.triple or (found.target if found else "")
    functions = tuple(symbol for symbol in artifact.symbols if symbol.type == symbols.FUNCTION)
    schema = schema_of(found.version) if found else None
    return Subject(artifact, expectation, found, fault, schema, layout_of(triple), functions)
