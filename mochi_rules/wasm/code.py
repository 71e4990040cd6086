"""The code section: function bodies, and the offset of everything in it (core 2.0, §5.5.13).

Bodies come with most instructions encoded. What is left names something of the module, mostly the
same few things, and each different instruction is encoded once.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from mochi_rules.base.dataclass import dataclass
from mochi_rules.wasm.instruction import CODES, UNBOUND, encode_with, is_bound
from mochi_rules.wasm.leb128 import encode_signed, encode_unsigned
from mochi_rules.wasm.opcodes import OPCODES, Immediate
from mochi_rules.wasm.vectors import encode_value_type, encode_vector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.wasm.indices import Indices
    from mochi_rules.wasm.instruction import Encoders
    from mochi_rules.wasm.module import Function, Instruction, Piece
    from mochi_rules.wasm.types import FuncType, ValueType

# (offset, file_index, line) of an instruction. Offsets count bytes from the start of the code
# section's contents, as DWARF for WebAssembly does.
Location: TypeAlias = tuple[int, int, int]

_END = OPCODES["end"].code


@dataclass(frozen=True, slots=True)
class FunctionRange:
    """Where a function lies: from its locals to after its last `end`; offsets as in Location."""

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
        self.types: list[int] = []  # of the functions
        self._indices = indices
        self._bound: dict[Piece, bytes] = {
            **_naming("call", indices.functions),
            **_naming("global.get", indices.globals),
            **_naming("global.set", indices.globals),
        }
        self._has_marks = False
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
            self.types.append(self._indices.type(function.type))
            codes, body = self._encode_body(function)
            contents += encode_unsigned(len(body))
            start = len(contents)
            contents += body
            if self._has_marks:
                locations += _marks(function.body, accumulate(map(len, codes), initial=start))
            ranges.append(FunctionRange(function.name, start, len(contents)))
        return Code(bytes(contents), locations, ranges)

    def encode_constant(self, instruction: Instruction) -> bytes:
        """Encode a constant expression of one instruction."""
        return self._encode_instruction(instruction) + _END

    def _encode_body(self, function: Function) -> tuple[list[bytes], bytes]:
        """Return the locals of a function, each of its pieces, and its end; then all joined."""
        self._has_marks = False
        known = map(self._bound.get, function.body, function.body)
        codes: list[Any] = [_encode_locals(tuple(function.locals)), *known, _END]
        try:
            return codes, b"".join(codes)
        except TypeError:  # there are others than calls and accesses to globals
            codes = [
                code if isinstance(code, bytes) else self._encode_instruction(code)
                for code in codes
            ]
            return codes, b"".join(codes)

    def _encode_instruction(self, instruction: Instruction) -> bytes:
        if instruction[0] == "loc":
            self._has_marks = True
            return b""
        if is_bound(instruction):
            code = self._bound[instruction] = encode_with(self._immediates, instruction)
            return code
        return CODES[instruction]

    def _block_type(self, type_: FuncType) -> bytes:
        if not type_.params and len(type_.results) <= 1:
            return CODES["block", *(type_.results or (None,))][1:]
        return encode_signed(self._indices.type(type_))

    def _segment(self, name: str) -> bytes:
        self.uses_data_segments = True
        return encode_unsigned(self._indices.segment(name))


def _naming(mnemonic: str, numbers: dict[str, int]) -> dict[Piece, bytes]:
    """Encode an instruction with each of the names that it can have."""
    opcode = OPCODES[mnemonic].code
    return {(mnemonic, name): opcode + encode_unsigned(index) for name, index in numbers.items()}


@lru_cache(1024)  # many functions have the same few
def _encode_locals(locals_: tuple[ValueType, ...]) -> bytes:
    runs = [(len(list(run)), type_) for type_, run in groupby(locals_)]
    return encode_vector([encode_unsigned(n) + encode_value_type(type_) for n, type_ in runs])


def _marks(body: list[Piece], ends: Iterator[int]) -> list[Location]:
    """Return the locations, given the end of the locals and of each instruction before.

    Of several at one offset the last one holds.
    """
    next(ends)  # the start of the locals
    found: dict[int, Location] = {}
    for piece, offset in zip(body, ends, strict=False):
        if piece[0] == "loc":
            _, file, line = piece
            found[offset] = (offset, file, line)
    return list(found.values())
