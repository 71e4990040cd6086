"""What each machine instruction of an artifact comes from: its WebAssembly, its line, its function.

    address of code --address map--> offset in the WebAssembly file --line table--> file and line

The line table is that of the WebAssembly, where it is at hand; else that of the artifact.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.base.printable import printable
from mochi_rules.elf.codemap import NO_ORIGIN, decode_origins
from mochi_rules.elf.decode import Malformed
from mochi_rules.elf.engine_section import decode_engine
from mochi_rules.elf.listing.disassemble import disassemble
from mochi_rules.elf.native_lines import read_native_lines
from mochi_rules.elf.read import read_artifact
from mochi_rules.elf.report import find_artifact
from mochi_rules.wasm.debug.line_table import LineTable, MalformedLines, Place, read_line_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.elf.artifact import Artifact
    from mochi_rules.elf.listing.disassemble import Instruction

_NO_ENTRIES = bytes(8)  # an address map
_TARGET = re.compile(r"(?:^| )#?0x([0-9a-f]+)$")  # not `[rip + 0x10]`
_CALLS = frozenset({"call", "bl", "brasl"})  # those of RISC-V take two instructions


class CodeRow(NamedTuple):
    """An instruction and where it comes from; the operands of a call end with `<name>`.

    `origin` is the offset in the WebAssembly file of the instruction that it was made of; None
    for what belongs to no one instruction, such as a function's entry.
    """

    instruction: Instruction
    origin: int | None
    place: Place | None


@dataclass(frozen=True, slots=True)
class CodeFunction:
    """The machine code of a function; `index` counts imports too."""

    name: str
    index: int
    rows: tuple[CodeRow, ...]

    @property
    def place(self) -> Place | None:
        """The first line that its code comes from."""
        return next((row.place for row in self.rows if row.place), None)


@dataclass(frozen=True, slots=True)
class Listing:
    """The functions of an artifact in the order of their code.

    A place's file is an index into `files`. `damage` says why there are no lines although there
    is a line table.
    """

    target: str
    files: tuple[str, ...]
    functions: tuple[CodeFunction, ...]
    damage: str = ""

    @property
    def has_lines(self) -> bool:
        """Whether a line is known of anything."""
        return any(function.place for function in self.functions)


def read_listing(data: bytes, name: str, wasm: bytes = b"") -> Listing:
    """Disassemble an artifact, or that which an object or an executable holds.

    Args:
        data: The file.
        name: What messages call it.
        wasm: The WebAssembly that it was compiled from; without, its own lines are taken.

    Emits: A010, A011 (the WebAssembly), A020 (no artifact), A021 (damaged), A026, A029, C020.

    Raises:
        MochiError: There is nothing to show.
    """
    found = find_artifact(data)
    artifact = read_artifact(found[1] if found else data, name)
    section = artifact.section(".wasmtime.engine")
    if section is None:
        raise fail("A020", f"{name} is not a .cwasm, and contains none")
    target = decode_engine(artifact.content(section)).target
    lines, damage = _lines(artifact, wasm)
    functions = list(_functions(artifact, lines, _Origins(artifact, name), by_origin=bool(wasm)))
    if not wasm:
        functions = _without_stand_ins(functions)
    return Listing(target, lines.files, tuple(functions), damage)


def _functions(
    artifact: Artifact, lines: LineTable, origins: _Origins, *, by_origin: bool
) -> Iterator[CodeFunction]:
    """Yield the functions; `by_origin` says that the addresses of the lines are origins."""
    symbols = sorted((item for item in artifact.symbols if item.function), key=lambda s: s.value)
    # A function ends where the next one starts, whatever its symbol says.
    limits = [*(symbol.value for symbol in symbols[1:]), len(artifact.data)]
    ranges = [
        (symbol.value, min(symbol.value + symbol.size, limit))
        for symbol, limit in zip(symbols, limits, strict=False)
    ]
    names = {
        symbol.value: printable(symbol.function[2] or symbol.name)
        for symbol in symbols
        if symbol.function
    }
    for symbol, code in zip(symbols, disassemble(artifact, ranges), strict=True):
        rows = []
        for instruction in code:
            origin = origins.find(instruction.address, symbol.value)
            address = origin if by_origin else instruction.address
            place = None if address is None else lines.find(address)
            rows.append(CodeRow(_with_callee(instruction, names), origin, place))
        assert symbol.function is not None
        yield CodeFunction(names[symbol.value], symbol.function[1], tuple(rows))


def _with_callee(instruction: Instruction, names: Mapping[int, str]) -> Instruction:
    target = _TARGET.search(instruction.operands)
    if instruction.mnemonic not in _CALLS or target is None:
        return instruction
    name = names.get(int(target[1], 16))
    return (
        instruction._replace(operands=f"{instruction.operands} <{name}>") if name else instruction
    )


def _without_stand_ins(functions: list[CodeFunction]) -> list[CodeFunction]:
    """Leave out the files whose lines are offsets in the WebAssembly, wherever they are named."""
    sources: set[int] = set()
    for function in functions:
        origins = {row.origin for row in function.rows}
        places = {row.place for row in function.rows if row.place}
        sources |= {place.file for place in places if place.line not in origins}
    return [
        replace(function, rows=tuple(_keep(row, sources) for row in function.rows))
        for function in functions
    ]


def _keep(row: CodeRow, files: set[int]) -> CodeRow:
    return row if row.place and row.place.file in files else row._replace(place=None)


def _lines(artifact: Artifact, wasm: bytes) -> tuple[LineTable, str]:
    """Return the line table, and what is wrong with it."""
    try:
        return (read_line_table(wasm) if wasm else read_native_lines(artifact)), ""
    except (Malformed, MalformedLines) as error:
        return LineTable(), str(error)


class _Origins:
    """The address map of an artifact; one without a map has no entries."""

    def __init__(self, artifact: Artifact, name: str) -> None:
        section = artifact.section(".wasmtime.addrmap")
        try:
            content = artifact.content(section) if section else _NO_ENTRIES
            self._starts, self._origins = decode_origins(content)
        except Malformed as error:
            reason = f"{name} is damaged: in its address map, {error}"
            raise fail("A021", reason, help="compile it again") from None

    def find(self, address: int, start: int) -> int | None:
        """Return the origin of an instruction of the function that starts at `start`."""
        index = bisect_right(self._starts, address) - 1
        is_inside = index >= 0 and self._starts[index] >= start
        origin = self._origins[index] if is_inside else NO_ORIGIN
        return None if origin == NO_ORIGIN else origin
