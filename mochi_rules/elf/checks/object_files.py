"""The checks of an object that holds an artifact: read-only data between two global symbols."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.base.printable import printable
from mochi_rules.elf.checks.table import MAX_MESSAGES, Failure
from mochi_rules.elf.object_files import read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.elf.object_files import ObjectImage, ObjectSection
    from mochi_rules.platforms.architecture import CpuLevel

MIN_ALIGNMENT = 16  # Wasmtime copies the artifact into pages of its own
_MAX_PADDING = 16  # bytes after the end symbol; Mach-O wants some
_STACK_NOTE = ".note.GNU-stack"


@dataclass(frozen=True, slots=True)
class ObjectExpectation:
    """What was requested; None means not requested. `format` and `cpu` are as in a platform.

    `cpu_level` is the highest that code may need.
    """

    format: str | None = None
    cpu: str | None = None
    cpu_level: CpuLevel | None = None
    little_endian: bool | None = None
    symbol_base: str | None = None
    payload: Digest | None = None


def verify_object(data: bytes, expectation: ObjectExpectation | None = None) -> list[Failure]:
    """Return what is wrong with an object, in the order of OBJECT_CHECKS.

    Each check reports MAX_MESSAGES at most.

    Emits: A021, A024.

    Raises:
        MochiError: The object cannot be decoded.
    """
    image, wanted = read_object(data), expectation or ObjectExpectation()
    return [
        Failure(name, printable(message))
        for name, check in OBJECT_CHECKS
        for message in islice(check(image, wanted), MAX_MESSAGES)
    ]


def require_sound_object(
    data: bytes, name: str, expectation: ObjectExpectation | None = None
) -> None:
    """Verify an object; `name` is what messages call it.

    Emits: A021, A024 (cannot be decoded), A025 (unsound; a note for each failed check).

    Raises:
        MochiError: The object cannot be decoded, or some checks fail.
    """
    refuse_unsound(name, verify_object(data, expectation))


def refuse_unsound(name: str, failures: list[Failure]) -> None:
    """Raise the error of an object whose checks fail, if some do.

    Emits: A025.

    Raises:
        MochiError: There are failures.
    """
    if failures:
        count = "1 check fails" if len(failures) == 1 else f"{len(failures)} checks fail"
        notes = tuple(str(failure) for failure in failures)
        message = f"{name} is not the expected object: {count}"
        raise MochiError(Diagnostic("A025", message, notes=notes))


def relocatable(image: ObjectImage, wanted: ObjectExpectation) -> Iterator[str]:
    """The file is an object of the requested format, and is not linked."""
    if wanted.format not in (None, image.format):
        yield f"expected an object of the format `{wanted.format}`, got `{image.format}`"
    if not image.is_relocatable:
        yield "expected a relocatable object, got another kind of file"


def machine(image: ObjectImage, wanted: ObjectExpectation) -> Iterator[str]:
    """The object is for the processor and the byte order that were requested."""
    if wanted.cpu not in (None, image.cpu):
        yield f"expected an object for {wanted.cpu}, got {image.cpu}"
    if wanted.little_endian not in (None, image.little_endian):
        orders = {True: "little-endian", False: "big-endian"}
        yield f"expected {orders[not image.little_endian]}, got {orders[image.little_endian]}"


def symbols(image: ObjectImage, wanted: ObjectExpectation) -> Iterator[str]:
    """There are two global symbols, `<base>_start` and `<base>_end`, in one section."""
    pair = image.symbol_pair
    if pair is None:
        names = ", ".join(f"`{symbol.name}`" for symbol in image.symbols[:4]) or "none"
        yield f"expected two global symbols that end in `_start` and `_end`, got {names}"
    elif wanted.symbol_base and pair[0].name != f"{wanted.symbol_base}_start":
        yield f"expected the symbol `{wanted.symbol_base}_start`, got `{pair[0].name}`"


def span(image: ObjectImage, _wanted: ObjectExpectation) -> Iterator[str]:
    """The symbols span the section, but for padding at its end, and it is inside the file."""
    section = _data_section(image)
    if section is None or image.symbol_pair is None:
        return
    start, end = (symbol.offset for symbol in image.symbol_pair)
    if section.offset + section.size > len(image.data):
        yield f"the data ends at {section.offset + section.size}, the file at {len(image.data)}"
        return
    padding = image.data[section.offset + end : section.offset + section.size]
    if start or not 0 < end <= section.size or len(padding) > _MAX_PADDING or any(padding):
        yield f"expected the symbols to span the {section.size} bytes, got {start} to {end}"


def alignment(image: ObjectImage, _wanted: ObjectExpectation) -> Iterator[str]:
    """The data is aligned to 16 bytes at least, in the file too."""
    section = _data_section(image)
    if section is None:
        return
    if section.alignment < MIN_ALIGNMENT:
        yield f"expected an alignment of {MIN_ALIGNMENT} at least, got {section.alignment}"
    elif section.offset % section.alignment:
        yield f"expected an offset divisible by {section.alignment}, got {section.offset}"


def read_only(image: ObjectImage, _wanted: ObjectExpectation) -> Iterator[str]:
    """Nothing is writable or executable: the artifact is data until Wasmtime loads it."""
    for section in image.sections:
        if section.size and section.is_writable:
            yield f"`{section.name}` is writable"
        if section.size and section.is_executable:
            yield f"`{section.name}` is executable"


def no_relocations(image: ObjectImage, _wanted: ObjectExpectation) -> Iterator[str]:
    """A linker changes nothing in the data."""
    yield from (f"`{item.name}` has relocations" for item in image.sections if item.relocations)


def stack_note(image: ObjectImage, _wanted: ObjectExpectation) -> Iterator[str]:
    """In ELF, `.note.GNU-stack` says that the program needs no executable stack."""
    notes = [section for section in image.sections if section.name == _STACK_NOTE]
    if image.format == "elf" and (not notes or any(note.is_executable for note in notes)):
        found = "an executable one" if notes else "none"
        yield f"expected `{_STACK_NOTE}`, got {found}: the stack would become executable"


def payload(image: ObjectImage, wanted: ObjectExpectation) -> Iterator[str]:
    """The bytes between the symbols are those that were put in."""
    if wanted.payload is None or image.payload is None:
        return
    found = digest_bytes(image.payload)
    if found != wanted.payload:
        yield (
            f"expected {wanted.payload.size} bytes with the digest {wanted.payload.short}, "
            f"got {found.size} bytes with {found.short}"
        )


OBJECT_CHECKS: tuple[tuple[str, Callable[[ObjectImage, ObjectExpectation], Iterator[str]]], ...] = (
    ("relocatable", relocatable),
    ("machine", machine),
    ("symbols", symbols),
    ("span", span),
    ("alignment", alignment),
    ("read-only", read_only),
    ("no-relocations", no_relocations),
    ("stack-note", stack_note),
    ("payload", payload),
)


def _data_section(image: ObjectImage) -> ObjectSection | None:
    pair = image.symbol_pair
    return image.sections[pair[0].section or 0] if pair else None
