"""Reads the functions of a binary back into the model, each instruction with its place in the file.

What the table of opcodes does not know (garbage collection, exceptions, atomics, more than one
memory or table) ends a function early, and `rest` says why. Nothing is validated.
"""

from __future__ import annotations

import struct
from array import array
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass
from mochi_rules.wasm.leb128 import encode_unsigned
from mochi_rules.wasm.module import Function
from mochi_rules.wasm.opcodes import OPCODES, Immediate, Opcode
from mochi_rules.wasm.reader.cursor import Cursor
from mochi_rules.wasm.reader.preamble import read_layer
from mochi_rules.wasm.reader.read_names import Names, read_names
from mochi_rules.wasm.reader.read_summary import ModuleReader
from mochi_rules.wasm.reader.read_types import read_value_type
from mochi_rules.wasm.types import VALUE_TYPES, FuncType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.wasm.module import Instruction, Piece
    from mochi_rules.wasm.types import ValueType

_MAX_BODY = 1 << 20  # bytes; an instruction takes some sixty times as much
_MAX_LOCALS = 1_000_000  # of all functions together: a few bytes can declare any number
_BY_CODE: dict[bytes, tuple[str, Opcode]] = {op.code: (name, op) for name, op in OPCODES.items()}
_PLAIN: dict[str, Instruction] = {name: (name,) for name in OPCODES}  # one for all places
_PREFIXES = frozenset(code[0] for code in _BY_CODE if len(code) > 1)
_VALUE_TYPES = {code: name for name, code in VALUE_TYPES.items()}
_EMPTY_BLOCK = 0x40
_OPENING = frozenset({"block", "loop", "if"})
_SEVERAL_MEMORIES = 0x40  # a bit of the alignment


@dataclass(frozen=True, slots=True)
class ReadFunction:
    """A function as it is in a file; `index` counts imports too.

    `start` is the offset of its locals and `end` that behind its last instruction. `offsets` are
    those of the instructions of its body, and one more for its last `end`, which a body has not.
    `rest` says why instructions are missing at the end; empty as a rule.
    """

    index: int
    function: Function
    start: int
    end: int
    offsets: array[int]
    rest: str = ""


def read_functions(data: bytes) -> Iterator[ReadFunction]:
    """Yield the functions that a module defines; of a component, none.

    A function without a name is called `f` and its index, an import as it is imported.

    Emits: A010, A011.

    Raises:
        MochiError: The bytes are not WebAssembly, or a section or a body is malformed.
    """
    cursor = Cursor(data, "preamble")
    if read_layer(data, cursor) == 0:
        reader = _CodeReader()
        reader.read(cursor)
        yield from reader.functions()


def read_unbound(data: bytes) -> Iterator[Instruction]:
    """Yield encoded instructions that name nothing of a module; they were encoded here."""
    cursor = Cursor(data, "code")
    reader = _BodyReader(_CodeReader().immediates(), cursor)
    while cursor.remaining:
        yield reader.instruction()


class _Unknown(Exception):  # noqa: N818 - ends the reading of a function
    """An instruction that is not read here."""


class _CodeReader(ModuleReader):
    """Keeps the bodies until everything is read that they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self._code: list[Cursor] = []
        self._names = Names()
        self._locals = 0

    def functions(self) -> Iterator[ReadFunction]:
        """Yield the functions, after `read`."""
        imported = [item.name for item in self._imports if item.kind == "func"]
        self._names.functions = {**dict(enumerate(imported)), **self._names.functions}
        for index, body in enumerate(self._code, len(imported)):
            yield self._function(index, body)

    def _read_custom(self, cursor: Cursor) -> None:
        super()._read_custom(cursor)
        if self._custom[-1] == "name":
            self._names = read_names(cursor)

    def _read_code(self, cursor: Cursor) -> None:
        super()._read_code(cursor)
        self._code = [cursor.part(cursor.unsigned()) for _ in range(self._bodies)]
        cursor.finish()

    def _function(self, index: int, cursor: Cursor) -> ReadFunction:
        cursor.place = f"function {index}"
        type_ = self._spaces["func"][index]
        assert isinstance(type_, FuncType)
        start, end = cursor.offset, cursor.offset + cursor.remaining
        params, locals_ = list(type_.params), self._read_locals(cursor)
        names = self._names.locals.get(index, {})
        function = Function(
            self._function_name(index),
            params,
            list(type_.results),
            locals_,
            local_names=[names.get(i, "") for i in range(len(params) + len(locals_))],
        )
        body = _BodyReader(self.immediates(), cursor)
        rest = body.read(function.body)
        return ReadFunction(index, function, start, end, body.offsets, rest)

    def _read_locals(self, cursor: Cursor) -> list[ValueType]:
        locals_: list[ValueType] = []
        for _ in range(cursor.count()):
            count = cursor.unsigned()
            self._locals += count
            if self._locals > _MAX_LOCALS:
                raise cursor.malformed(f"more than {_MAX_LOCALS} locals")
            locals_ += [read_value_type(cursor, self._features)] * count
        return locals_

    def _function_name(self, index: int) -> str:
        return self._names.functions.get(index) or f"f{index}"

    def _global_name(self, index: int) -> str:
        return self._names.globals.get(index) or f"g{index}"

    def _func_type(self, index: int) -> FuncType:
        type_ = self._types[index] if index < len(self._types) else None
        return type_ or FuncType()

    def immediates(self) -> dict[Immediate, Callable[[Cursor], Any]]:
        """Return a function for each kind of immediate, which reads it."""
        return {
            Immediate.BLOCK_TYPE: self._block_type,
            Immediate.LABEL: Cursor.unsigned,
            Immediate.LABELS: lambda cursor: tuple(
                cursor.unsigned() for _ in range(cursor.count())
            ),
            Immediate.FUNCTION: lambda cursor: self._function_name(cursor.unsigned()),
            Immediate.FUNC_TYPE: lambda cursor: self._func_type(cursor.unsigned()),
            Immediate.LOCAL: Cursor.unsigned,
            Immediate.GLOBAL: lambda cursor: self._global_name(cursor.unsigned()),
            Immediate.DATA: lambda cursor: str(cursor.unsigned()),
            Immediate.ALIGN: _alignment,
            Immediate.OFFSET: lambda cursor: cursor.unsigned(64),
            Immediate.LANE: Cursor.byte,
            Immediate.I32: Cursor.signed,
            Immediate.I64: lambda cursor: cursor.signed(64),
            Immediate.F32: lambda cursor: struct.unpack("<f", cursor.take(4))[0],
            Immediate.F64: lambda cursor: struct.unpack("<d", cursor.take(8))[0],
            Immediate.V128: lambda cursor: bytes(cursor.take(16)),
        }

    def _block_type(self, cursor: Cursor) -> FuncType | ValueType | None:
        code = cursor.signed(33)
        if code >= 0:
            return self._func_type(code)
        if code & 0x7F == _EMPTY_BLOCK:
            return None
        if code & 0x7F not in _VALUE_TYPES:
            raise _Unknown(f"a block of type 0x{code & 0x7F:02x}")
        return _VALUE_TYPES[code & 0x7F]


class _BodyReader:
    """Reads the instructions of one body."""

    def __init__(
        self, immediates: dict[Immediate, Callable[[Cursor], Any]], cursor: Cursor
    ) -> None:
        self.offsets = array("I")
        self._immediates = immediates
        self._cursor = cursor

    def read(self, body: list[Piece]) -> str:
        """Fill a body but for its last `end`; return why it is not whole, or an empty string."""
        cursor = self._cursor
        depth = 0
        if cursor.remaining > _MAX_BODY:
            self.offsets.append(cursor.offset)
            return f"the body has more than {_MAX_BODY >> 20} MiB"
        while cursor.remaining:
            self.offsets.append(cursor.offset)
            try:
                instruction = self.instruction()
            except _Unknown as unknown:
                return str(unknown)
            depth += (instruction[0] in _OPENING) - (instruction[0] == "end")
            if depth < 0:
                cursor.finish()
                return ""
            body.append(instruction)
        raise cursor.malformed("a body without its `end`")

    def instruction(self) -> Instruction:
        """Read one instruction."""
        cursor = self._cursor
        code = bytes(cursor.take(1))
        if code[0] in _PREFIXES:
            code += encode_unsigned(cursor.unsigned())
        known = _BY_CODE.get(code)
        if known is None:
            raise _Unknown(f"an instruction 0x{code.hex()}")
        mnemonic, opcode = known
        if not opcode.immediates and not opcode.zeros:
            return _PLAIN[mnemonic]
        operands = [self._immediates[kind](cursor) for kind in opcode.immediates]
        for _ in opcode.zeros:
            if cursor.unsigned():
                raise _Unknown(f"`{mnemonic}` of a second memory or table")
        return (mnemonic, *operands)


def _alignment(cursor: Cursor) -> int:
    value = cursor.unsigned()
    if value >= _SEVERAL_MEMORIES:
        raise _Unknown("an access to a second memory")
    return value
