"""The encoding of one instruction (core 2.0, §5.4).

Most instructions are bound to no module: they name no function, global, data segment or type of
it. Their bytes are the same everywhere, so a process remembers them.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mochi_rules.wasm.leb128 import encode_signed, encode_unsigned
from mochi_rules.wasm.opcodes import OPCODES, Immediate
from mochi_rules.wasm.types import FuncType
from mochi_rules.wasm.vectors import encode_value_type, encode_vector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.wasm.module import Instruction
    from mochi_rules.wasm.types import ValueType

    Encoders = Mapping[Immediate, Callable[[Any], bytes]]

_EMPTY_BLOCK = b"\x40"
_REMEMBERED = 1 << 14  # instructions
# Never remembered, because 0.0 == -0.0.
_FLOATS = frozenset({"f32.const", "f64.const"})


def encode_with(immediates: Encoders, instruction: Instruction) -> bytes:
    """Encode an instruction; `immediates` has a function for each kind that may occur in it.

    Raises:
        AssertionError: There is no such instruction: a bug in the caller.
    """
    opcode = OPCODES.get(instruction[0])
    if opcode is None or len(instruction) != len(opcode.immediates) + 1:
        raise AssertionError(f"not an instruction: {instruction}")
    code = opcode.code
    for kind, operand in zip(opcode.immediates, instruction[1:], strict=True):
        code += immediates[kind](operand)
    return code + opcode.zeros


def is_bound(instruction: Instruction) -> bool:
    """Return whether the encoding of an instruction depends on its module."""
    return instruction[0] in _BOUND or isinstance(instruction[-1], FuncType)


def _block_type(type_: ValueType | None) -> bytes:
    return _EMPTY_BLOCK if type_ is None else encode_value_type(type_)


def _labels(labels: tuple[int, ...]) -> bytes:
    return encode_vector([encode_unsigned(label) for label in labels])


def _wrap(value: int, bits: int) -> int:
    """Return the signed integer whose two's complement is `value`."""
    half = 1 << bits - 1
    if not -half <= value < 2 * half:
        raise AssertionError(f"{value} does not fit in {bits} bits")
    return value - 2 * half if value >= half else value


UNBOUND: Encoders = {
    Immediate.BLOCK_TYPE: _block_type,
    Immediate.LABEL: encode_unsigned,
    Immediate.LABELS: _labels,
    Immediate.LOCAL: encode_unsigned,
    Immediate.ALIGN: encode_unsigned,
    Immediate.OFFSET: encode_unsigned,
    Immediate.LANE: encode_unsigned,
    Immediate.I32: lru_cache(_REMEMBERED)(lambda value: encode_signed(_wrap(value, 32))),
    Immediate.I64: lru_cache(_REMEMBERED)(lambda value: encode_signed(_wrap(value, 64))),
    Immediate.F32: struct.Struct("<f").pack,
    Immediate.F64: struct.Struct("<d").pack,
    Immediate.V128: bytes,
}


class _Codes(dict["Instruction", bytes]):
    def __missing__(self, instruction: Instruction) -> bytes:
        code = encode_with(UNBOUND, instruction)
        if len(self) >= _REMEMBERED:
            self.clear()
        if instruction[0] not in _FLOATS:
            self[instruction] = code
        return code


CODES = _Codes()  # the encoding of any instruction that is bound to no module
_BOUND = {name for name, opcode in OPCODES.items() if set(opcode.immediates) - set(UNBOUND)}
