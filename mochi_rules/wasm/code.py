"""The code section: function bodies, and the offset of everything in it (core 2.0, §5.5.13).

A program has 10⁵ instructions but few different ones, so each different one is encoded once: an
instruction is the key of a dictionary whose value is its bytes, and a body is mapped over that
dictionary, so that no Python code runs for each instruction.
"""

from __future__ import annotations

import struct
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from mochi_rules.base.dataclass import dataclass
from mochi_rules.wasm.binary import encode_value_type, encode_vector
from mochi_rules.wasm.leb128 import encode_signed, encode_unsigned
from mochi_rules.wasm.module import Instruction
from mochi_rules.wasm.opcodes import OPCODES, Immediate
from mochi_rules.wasm.types import FuncType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mochi_rules.wasm.indices import Indices
    from mochi_rules.wasm.module import Function
    from mochi_rules.wasm.types import ValueType

# (offset, file_index, line) of an instruction. Offsets count bytes from the start of the code
# section's contents, as DWARF for WebAssembly does.
Location: TypeAlias = tuple[int, int, int]

# Never kept under a key, because 0.0 == -0.0.
_FLOATS = ("f32.const", "f64.const")

_EMPTY_BLOCK = b"\x40"
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
        self._immediates: dict[Immediate, Callable[[Any], bytes]] = {
            Immediate.BLOCK_TYPE: self._block_type,
            Immediate.LABEL: encode_unsigned,
            Immediate.LABELS: _labels,
            Immediate.FUNCTION: lambda name: encode_unsigned(indices.function(name)),
            Immediate.FUNC_TYPE: lambda type_: encode_unsigned(indices.type(type_)),
            Immediate.LOCAL: encode_unsigned,
            Immediate.GLOBAL: lambda name: encode_unsigned(indices.global_(name)),
            Immediate.DATA: self._segment,
            Immediate.ALIGN: encode_unsigned,
            Immediate.OFFSET: encode_unsigned,
            Immediate.LANE: encode_unsigned,
            Immediate.I32: lambda value: encode_signed(_wrap(value, 32)),
            Immediate.I64: lambda value: encode_signed(_wrap(value, 64)),
            Immediate.F32: struct.Struct("<f").pack,
            Immediate.F64: struct.Struct("<d").pack,
            Immediate.V128: bytes,
        }

    def encode(self, functions: list[Function]) -> Code:
        """Encode the code section."""
        contents = bytearray(encode_unsigned(len(functions)))
        locations: list[Location] = []
        ranges: list[FunctionRange] = []
        for function in functions:
            self._indices.type(function.type)
            self._known.has_marks = False
            codes = [_encode_locals(function.locals), *map(self._known.__getitem__, function.body)]
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
        opcode = OPCODES.get(instruction[0])
        if opcode is None or len(instruction) != len(opcode.immediates) + 1:
            raise AssertionError(f"not an instruction: {instruction}")
        code = opcode.code
        for kind, operand in zip(opcode.immediates, instruction[1:], strict=True):
            code += self._immediates[kind](operand)
        return code + opcode.zeros

    def _block_type(self, type_: FuncType | ValueType | None) -> bytes:
        if type_ is None:
            return _EMPTY_BLOCK
        if not isinstance(type_, FuncType):
            return encode_value_type(type_)
        if not type_.params and len(type_.results) <= 1:
            return self._block_type(type_.results[0] if type_.results else None)
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
        code = self._encode(instruction)
        if instruction[0] not in _FLOATS:
            self[instruction] = code
        return code


def _encode_locals(locals_: Iterable[ValueType]) -> bytes:
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


def _labels(labels: tuple[int, ...]) -> bytes:
    return encode_vector([encode_unsigned(label) for label in labels])


def _wrap(value: int, bits: int) -> int:
    """Return the signed integer whose two's complement is `value`."""
    half = 1 << bits - 1
    if not -half <= value < 2 * half:
        raise AssertionError(f"{value} does not fit in {bits} bits")
    return value - 2 * half if value >= half else value
