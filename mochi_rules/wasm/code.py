"""The code section: function bodies, and the offset of everything in it (core 2.0, §5.5.13).

A program has 10⁵ instructions but few different ones, so each different one is encoded once: an
instruction is the key of a dictionary whose value is its bytes, and a body is mapped over that
dictionary, so that no Python code runs for each instruction.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, TypeAlias

from mochi_rules.base.dataclass import dataclass
from mochi_rules.wasm.instruction import FLOATS, UNBOUND, encode_unbound, encode_with, is_bound
from mochi_rules.wasm.leb128 import encode_signed, encode_unsigned
from mochi_rules.wasm.module import Instruction
from mochi_rules.wasm.opcodes import OPCODES, Immediate
from mochi_rules.wasm.vectors import encode_value_type, encode_vector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.wasm.indices import Indices
    from mochi_rules.wasm.instruction import Encoders
    from mochi_rules.wasm.module import Function
    from mochi_rules.wasm.types import FuncType, ValueType

# (offset, file_index, line) of an instruction. Offsets count bytes from the start of the code
# section's contents, as DWARF for WebAssembly does.
Location: TypeAlias = tuple[int, int, int]

_END = OPCODES["end"].code


@dataclass(frozen=True, slots=True)
class FunctionRange:
    """Where a function lies: from its locals to behind its last `end`; offsets as in Location."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Code:
    """The contents of the code section and its map; locations ascend, one for an offset."""

    contents: bytes
    locations: list[Location]
    functions: list[FunctionRange]


class CodeEncoder:
    """Encodes instructions; asks the indices for types in the order of their first use."""

    def __init__(self, indices: Indices) -> None:
        self.uses_data_segments = False
        self._indices = indices
        self._known = _Known(self._encode_instruction)
        self._immediates: Encoders = {
            **UNBOUND,
            Immediate.BLOCK_TYPE: self._block_type,
            Immediate.FUNCTION: lambda name: encode_unsigned(indices.function(name)),
            Immediate.FUNC_TYPE: lambda type_: encode_unsigned(indices.type(type_)),
            Immediate.GLOBAL: lambda name: encode_unsigned(indices.global_(name)),
            Immediate.DATA: self._segment,
        }

    def encode(self, functions: list[Function]) -> Code:
        """Encode the code section."""
        contents = bytearray(encode_unsigned(len(functions)))
        locations: list[Location] = []
        ranges: list[FunctionRange] = []
        for function in functions:
            self._indices.type(function.type)
            self._known.has_marks = False
            codes = [
                _encode_locals(tuple(function.locals)),
                *map(self._known.__getitem__, function.body),
            ]
            body = b"".join(codes) + _END
            contents += encode_unsigned(len(body))
            start = len(contents)
            contents += body
            if self._known.has_marks:
                locations += _marks(function.body, accumulate(map(len, codes), initial=start))
            ranges.append(FunctionRange(function.name, start, len(contents)))
        return Code(bytes(contents), locations, ranges)

    def encode_constant(self, instruction: Instruction) -> bytes:
        """Encode a constant expression of one instruction."""
        return self._encode_instruction(instruction) + _END

    def _encode_instruction(self, instruction: Instruction) -> bytes:
        if is_bound(instruction):
            return encode_with(self._immediates, instruction)
        return encode_unbound(instruction)

    def _block_type(self, type_: FuncType) -> bytes:
        if not type_.params and len(type_.results) <= 1:
            return encode_unbound(("block", *(type_.results or (None,))))[1:]
        return encode_signed(self._indices.type(type_))

    def _segment(self, name: str) -> bytes:
        self.uses_data_segments = True
        return encode_unsigned(self._indices.segment(name))


class _Known(dict[Instruction, bytes]):
    """The bytes of instructions; what is not yet known is encoded on the spot.

    `has_marks` is set when a location was asked for, which has no bytes.
    """

    def __init__(self, encode: Callable[[Instruction], bytes]) -> None:
        super().__init__()
        self.has_marks = False
        self._encode = encode

    def __missing__(self, instruction: Instruction) -> bytes:
        if instruction[0] == "loc":
            self.has_marks = True
            return b""
        if instruction[0] == "stretch":
            self[instruction] = instruction[1].data
            return self[instruction]
        code = self._encode(instruction)
        if instruction[0] not in FLOATS:
            self[instruction] = code
        return code


@lru_cache(1024)  # many functions have the same few
def _encode_locals(locals_: tuple[ValueType, ...]) -> bytes:
    runs = [(len(list(run)), type_) for type_, run in groupby(locals_)]
    return encode_vector([encode_unsigned(n) + encode_value_type(type_) for n, type_ in runs])


def _marks(body: list[Instruction], ends: Iterator[int]) -> list[Location]:
    """Return the locations, given the end of the locals and of each instruction before.

    Of several at one offset the last one holds.
    """
    next(ends)  # the start of the locals
    found: dict[int, Location] = {}
    for instruction, offset in zip(body, ends, strict=False):
        if instruction[0] == "loc":
            _, file, line = instruction
            found[offset] = (offset, file, line)
    return list(found.values())
