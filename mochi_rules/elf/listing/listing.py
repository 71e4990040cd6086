"""What each machine instruction of an artifact comes from: its WebAssembly, its line, its function.

    address of code --address map--> offset in the WebAssembly file --line table--> file and line

The line table is that of the WebAssembly, where it is at hand; else that of the artifact.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import partial
from itertools import takewhile, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.base.printable import printable
from mochi_rules.elf.codemap import NO_ORIGIN, decode_origins
from mochi_rules.elf.decode import Malformed
from mochi_rules.elf.engine_section import decode_engine
from mochi_rules.elf.listing.disassemble import find_disassembler
from mochi_rules.elf.listing.native_objects import Code, CodeSymbol, read_native_code
from mochi_rules.elf.native_lines import read_native_lines
from mochi_rules.elf.read import read_artifact
from mochi_rules.elf.report import find_artifact
from mochi_rules.wasm.debug.line_table import LineTable, MalformedLines, Place, read_line_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mochi_rules.elf.artifact import Artifact
    from mochi_rules.elf.listing.disassemble import Instruction

_NO_ENTRIES = bytes(8)  # an address map
_TARGET = re.compile(r"(?:^| )#?0x([0-9a-f]+)$")  # not `[rip + 0x10]`
_CALLS = frozenset({"call", "bl", "brasl"})  # those of RISC-V take two instructions


class CodeRow(NamedTuple):
    """An instruction and where it comes from.

    The operands of a call end with `<name>`, in a native object all that a linker fills in.
    `origin` is the offset in the WebAssembly file of the instruction that it was made of; None
    for what belongs to no one instruction, such as a function's entry.
    """

    instruction: Instruction
    origin: int | None
    place: Place | None


@dataclass(frozen=True, slots=True)
class CodeFunction:
    """The machine code of a function; `index` counts imports too, in a native object all symbols.

    `place` is the first line that its code comes from.
    """

    name: str
    index: int
    place: Place | None
    _decode: Callable[[], Iterator[CodeRow]]

    def rows(self) -> Iterator[CodeRow]:
        """Decode the code: a byte of it can be an instruction, so it is not kept."""
        return self._decode()


class Listing:
    """The functions of an artifact in the order of their code, read when they are asked for.

    A place's file is an index into `files`. `damage` is why there are no `lines` although there
    is a line table.
    """

    def __init__(self, code: Code, name: str, wasm: bytes) -> None:
        artifact = code.artifact
        self.lines, self.damage = _read_lines(artifact, wasm)
        self.target = code.target
        self._symbols = sorted(code.functions)
        self._names = {symbol.start: symbol.name for symbol in self._symbols}
        self._references = code.references
        self._disassemble = find_disassembler(artifact, self._names)
        self._places = _Places(_Origins(artifact, name), self.lines, by_origin=bool(wasm))
        if not wasm and not code.is_native:
            self._places.leave_out_stand_ins((item.start, end) for item, end in self._code())

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the sources."""
        return self.lines.files

    @property
    def has_lines(self) -> bool:
        """Whether a line is known of anything."""
        return any(function.place for function in self.functions())

    def functions(self) -> Iterator[CodeFunction]:
        """Yield the functions."""
        for symbol, end in self._code():
            place = self._places.first(symbol.start, end)
            decode = partial(self._rows, symbol.start, end)
            yield CodeFunction(symbol.name, symbol.number, place, decode)

    def _code(self) -> Iterator[tuple[CodeSymbol, int]]:
        """Yield functions with their ends: before the next one starts, whatever a symbol says."""
        for symbol, following in zip_longest(self._symbols, self._symbols[1:]):
            end = symbol.start + symbol.size
            yield symbol, min(end, following.start) if following else end

    def _rows(self, start: int, end: int) -> Iterator[CodeRow]:
        for instruction in self._disassemble(start, end):
            origin, place = self._places.find(instruction.address, start)
            yield CodeRow(self._with_name(instruction), origin, place)

    def _with_name(self, instruction: Instruction) -> Instruction:
        """Return an instruction with the name of the function or variable that it is about."""
        start = instruction.address
        places = range(start, start + len(instruction.data))
        target = _TARGET.search(instruction.operands)
        name = next(filter(None, map(self._references.get, places)), None)
        if name is None and instruction.mnemonic in _CALLS and target:
            name = self._names.get(int(target[1], 16))
        if name is None:
            return instruction
        return instruction._replace(operands=f"{instruction.operands} <{name}>")


def read_listing(data: bytes, name: str, wasm: bytes = b"") -> Listing:
    """Prepare the listing of an artifact, or of that which an object or an executable holds.

    The object of a native program has its own code, functions and lines.

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
    try:
        code = read_native_code(artifact)
    except Malformed as error:
        raise fail("A021", f"{name} is damaged: {error}", help="compile it again") from None
    if code is None:
        code = Code(artifact, _target(artifact, name), _functions(artifact))
    return Listing(code, name, wasm)


def _target(artifact: Artifact, name: str) -> str:
    section = artifact.section(".wasmtime.engine")
    if section is None:
        raise fail("A020", f"{name} is not a .cwasm, and contains none")
    return decode_engine(artifact.content(section)).target


def _functions(artifact: Artifact) -> list[CodeSymbol]:
    """Return the functions of a module."""
    return [CodeSymbol(symbol.value, symbol.size, found[1], printable(found[2] or symbol.name))
            for symbol in artifact.symbols if (found := symbol.function)]  # fmt: skip


def _read_lines(artifact: Artifact, wasm: bytes) -> tuple[LineTable, str]:
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
            self.starts, self._origins = decode_origins(content)
        except Malformed as error:
            reason = f"{name} is damaged: in its address map, {error}"
            raise fail("A021", reason, help="compile it again") from None

    def find(self, address: int, start: int) -> int | None:
        """Return the origin of an instruction of the function that starts at `start`."""
        index = bisect_right(self.starts, address) - 1
        is_inside = index >= 0 and self.starts[index] >= start
        origin = self._origins[index] if is_inside else NO_ORIGIN
        return None if origin == NO_ORIGIN else origin


class _Places:
    """Where code comes from; `by_origin` says that the addresses of the lines are origins."""

    def __init__(self, origins: _Origins, lines: LineTable, *, by_origin: bool) -> None:
        self._origins, self._lines, self._by_origin = origins, lines, by_origin
        self._changes = origins.starts if by_origin else lines.starts
        self._files = frozenset(range(len(lines.files)))

    def leave_out_stand_ins(self, code: Iterable[tuple[int, int]]) -> None:
        """Leave out the files whose lines are offsets in the WebAssembly, wherever they are named.

        `code` has the start and the end of each function.
        """
        self._files = frozenset(
            place.file
            for start, end in code
            for address in self._addresses(start, end)
            if (place := self._lines.find(address))
            and place.line != self._origins.find(address, start)
        )

    def find(self, address: int, start: int) -> tuple[int | None, Place | None]:
        """Return the origin and the line of an instruction of the function that starts there."""
        origin = self._origins.find(address, start)
        key = origin if self._by_origin else address
        place = None if key is None else self._lines.find(key)
        return origin, place if place and place.file in self._files else None

    def first(self, start: int, end: int) -> Place | None:
        """Return the first line that the code of a function comes from."""
        places = (self.find(address, start)[1] for address in self._addresses(start, end))
        return next(filter(None, places), None)

    def _addresses(self, start: int, end: int) -> Iterator[int]:
        """Yield where the lines of a function can change."""
        yield start
        following = range(bisect_right(self._changes, start), len(self._changes))
        yield from takewhile(
            lambda address: address < end, map(self._changes.__getitem__, following)
        )
