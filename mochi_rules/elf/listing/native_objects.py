"""The code of a native object: its functions by their symbols, and the names that are linked in."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.printable import printable
from mochi_rules.elf.decode import Malformed
from mochi_rules.platforms.architecture import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mochi_rules.elf.artifact import Artifact

PROGRAM = "mochi_program"  # what every native object defines
_FUNCTION = 2  # STT_FUNC
_ENTRY = 24  # bytes of a relocation
_LABEL = ".L"  # begins the names of places in the code that a linker uses for RISC-V
_MACHINES = {row.elf_name: row.name for row in ARCHITECTURES}


class CodeSymbol(NamedTuple):
    """A function as the symbol table has it: its place in the code, its number, its name."""

    start: int
    size: int
    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a file.

    `references` has the names that a linker will put into the code, by offset.
    """

    artifact: Artifact
    target: str
    functions: Sequence[CodeSymbol]
    references: Mapping[int, str] = field(default_factory=dict)
    is_native: bool = False


def read_native_code(artifact: Artifact) -> Code | None:
    """Return the code of an object that Cranelift made of a program; None for other files.

    Raises:
        Malformed: A relocation has no symbol.
    """
    text = artifact.section(".text")
    is_program = any(symbol.name == PROGRAM and symbol.section for symbol in artifact.symbols)
    if artifact.header.type != "ET_REL" or text is None or not is_program:
        return None
    machine = artifact.header.machine
    functions = [
        CodeSymbol(symbol.value, symbol.size, number, printable(symbol.name))
        for number, symbol in enumerate(artifact.symbols)
        if symbol.type == _FUNCTION and symbol.section == text.index
    ]
    target = _MACHINES.get(machine, machine)
    return Code(artifact, target, functions, _references(artifact), is_native=True)


def _references(artifact: Artifact) -> dict[int, str]:
    """Return the names that a linker puts into the code, by the offset where it does."""
    table = artifact.section(".rela.text")
    if table is None:
        return {}
    order = "<" if artifact.header.little_endian else ">"
    content = artifact.content(table)
    names = {}
    whole = content[: len(content) // _ENTRY * _ENTRY]
    for offset, info, _ in struct.iter_unpack(order + "QQq", whole):
        symbol = info >> 32
        if not 0 < symbol <= len(artifact.symbols):
            raise Malformed(f"a relocation at {offset} of the code has no symbol")
        name = artifact.symbols[symbol - 1].name
        if name and not name.startswith(_LABEL):
            names[offset] = printable(name)
    return names
