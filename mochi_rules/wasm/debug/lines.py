"""The section `mochi.lines`: which source line the code of each offset comes from, in few bytes.

Modules without DWARF have it too, so that every trap is reported with its lines. It is

    how many files, and the name of each: as WebAssembly writes a vector of names
    rows up to the end: the offset, less that of the row before
                        0, and nothing is known of what follows; or the file, counted from 1, and
                        the line, less the one before: 2 n for n ≥ 0, -2 n - 1 for n < 0

All numbers are unsigned LEB128. Offsets are those of the module's file, as in the frames of a trap.
Whoever runs a program reads the section, too: `toolchains/native/launcher/src/lines.rs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.wasm.leb128 import encode_unsigned
from mochi_rules.wasm.module import CustomSection
from mochi_rules.wasm.vectors import encode_name, encode_vector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.wasm.encode import Encoded

NAME = "mochi.lines"


def lines_section(encoded: Encoded, files: list[str]) -> CustomSection:
    """Return the section of an encoded module, whose locations name files by their index."""
    data = bytearray(encode_vector([encode_name(name) for name in files]))
    last, line, known = 0, 0, None
    for offset, place in _rows(encoded):
        if place == known:
            continue
        data += encode_unsigned(encoded.code + offset - last)
        last, known = encoded.code + offset, place
        if place is None:
            data += encode_unsigned(0)
            continue
        file, next_line = place
        step, line = next_line - line, next_line
        data += encode_unsigned(file + 1)
        data += encode_unsigned(2 * step if step >= 0 else -2 * step - 1)
    return CustomSection(NAME, bytes(data))


def _rows(encoded: Encoded) -> Iterator[tuple[int, tuple[int, int] | None]]:
    """Yield where each place begins; the prologue of a function counts as its first line."""
    for function, locations in encoded.by_function():
        if not locations:
            yield function.start, None
        for number, (offset, file, line) in enumerate(locations):
            yield offset if number else function.start, (file, line)
    if encoded.functions:
        yield encoded.functions[-1].end, None


def find_lines(wasm: bytes) -> bytes:
    """Return the section of a module as it is, unchecked; empty where there is none.

    Emits: A010, A011.

    Raises:
        MochiError: The bytes are not WebAssembly.
    """
    from mochi_rules.wasm.reader.sections import (  # noqa: PLC0415 - the compiler does without
        custom_section,
        find_sections,
    )

    return custom_section(wasm, find_sections(wasm), NAME)
