"""Reading types from foreign binaries, those of garbage collection included (core 3.0, §5.3).

Each function adds to `features` the names of the features that what it reads belongs to.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from mochi_rules.wasm.reader.cursor import Cursor
from mochi_rules.wasm.types import VALUE_TYPES, FuncType, GlobalType, MemoryType, TableType

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.wasm.types import ValueType

_HEAP_TYPES = {
    0x70: "func", 0x6F: "extern", 0x6E: "any", 0x6D: "eq", 0x6C: "i31", 0x6B: "struct",
    0x6A: "array", 0x69: "exn", 0x71: "none", 0x72: "noextern", 0x73: "nofunc", 0x74: "noexn",
}  # fmt: skip
_REF, _REF_NULL = 0x64, 0x63
_VALUE_TYPES: dict[int, ValueType] = {
    **{code: f"(ref null {heap})" for code, heap in _HEAP_TYPES.items()},
    **{code: name for name, code in VALUE_TYPES.items()},
}
_FEATURES = {
    "v128": "simd128",
    "externref": "reference-types",
    "(ref null exn)": "exception-handling",
}

_FUNC, _STRUCT, _ARRAY = 0x60, 0x5F, 0x5E
_SUB, _SUB_FINAL, _REC = 0x50, 0x4F, 0x4E
_PACKED = (0x78, 0x77)
_INITIALIZED = 0x40

# Bits of the byte before limits; the bits above 0 are proposals of their own.
_HAS_MAXIMUM, _SHARED, _WIDE, _PAGE_SIZE = 1, 2, 4, 8
_LIMIT_FEATURES = {_SHARED: "atomics", _WIDE: "memory64", _PAGE_SIZE: "custom-page-sizes"}


def read_rec_type(cursor: Cursor, features: set[str]) -> list[FuncType | None]:
    """Read a group of types, mostly one; None stands for a type that is not a function's."""
    form = cursor.byte()
    if form != _REC:
        return [_read_subtype(cursor, form, features)]
    features.add("gc")
    return [_read_subtype(cursor, cursor.byte(), features) for _ in range(cursor.count())]


def read_value_type(cursor: Cursor, features: set[str]) -> ValueType:
    """Read a value type as WAT."""
    return _value_type(cursor, cursor.byte(), features)


def read_table_type(cursor: Cursor, features: set[str]) -> TableType:
    """Read the type of a table."""
    return _table_type(cursor, cursor.byte(), features)


def read_table(cursor: Cursor, features: set[str]) -> TableType:
    """Read a table of the table section: its type, perhaps with what its elements are at first."""
    code = cursor.byte()
    if code != _INITIALIZED:
        return _table_type(cursor, code, features)
    cursor.byte()
    type_ = read_table_type(cursor, features)
    skip_constant(cursor)
    return type_


def read_memory_type(cursor: Cursor, features: set[str]) -> MemoryType:
    """Read the type of a memory."""
    return MemoryType(*_read_limits(cursor, features))


def read_global_type(cursor: Cursor, features: set[str]) -> GlobalType:
    """Read the type of a global."""
    return GlobalType(read_value_type(cursor, features), _read_flag(cursor))


def skip_constant(cursor: Cursor) -> None:
    """Read a constant expression up to and with its `end`."""
    while (code := cursor.byte()) != _END:
        if code in _PREFIXES:
            code = (code << 8) + cursor.unsigned()
        if code not in _CONSTANTS:
            raise cursor.malformed(f"instruction 0x{code:02x} in a constant expression")
        for skip in _CONSTANTS[code]:
            skip(cursor)


def _read_subtype(cursor: Cursor, form: int, features: set[str]) -> FuncType | None:
    if form in (_SUB, _SUB_FINAL):
        features.add("gc")
        for _ in range(cursor.count()):
            cursor.unsigned()
        form = cursor.byte()
    if form == _FUNC:
        return _read_func_type(cursor, features)
    if form not in (_STRUCT, _ARRAY):
        raise cursor.malformed(f"unknown form of type 0x{form:02x}")
    features.add("gc")
    for _ in range(cursor.count() if form == _STRUCT else 1):
        _skip_field(cursor, features)
    return None


def _read_func_type(cursor: Cursor, features: set[str]) -> FuncType:
    params = tuple(read_value_type(cursor, features) for _ in range(cursor.count()))
    results = tuple(read_value_type(cursor, features) for _ in range(cursor.count()))
    if len(results) > 1:
        features.add("multivalue")
    return FuncType(params, results)


def _skip_field(cursor: Cursor, features: set[str]) -> None:
    code = cursor.byte()
    if code not in _PACKED:
        _value_type(cursor, code, features)
    _read_flag(cursor)


def _value_type(cursor: Cursor, code: int, features: set[str]) -> ValueType:
    if code in (_REF, _REF_NULL):
        features.add("gc")
        null = "null " if code == _REF_NULL else ""
        return sys.intern(f"(ref {null}{_read_heap_type(cursor)})")
    if code not in _VALUE_TYPES:
        raise cursor.malformed(f"unknown value type 0x{code:02x}")
    type_ = _VALUE_TYPES[code]
    if type_ in _FEATURES:
        features.add(_FEATURES[type_])
    elif type_ not in VALUE_TYPES:
        features.add("gc")
    return type_


def _read_heap_type(cursor: Cursor) -> str:
    value = cursor.signed(33)
    if value >= 0:
        return str(value)
    if (code := value + 0x80) not in _HEAP_TYPES:
        raise cursor.malformed("unknown heap type")
    return _HEAP_TYPES[code]


def _table_type(cursor: Cursor, code: int, features: set[str]) -> TableType:
    element = _value_type(cursor, code, features)
    return TableType(*_read_limits(cursor, features), element)


def _read_limits(cursor: Cursor, features: set[str]) -> tuple[int, int | None]:
    flags = cursor.byte()
    if flags >= 2 * _PAGE_SIZE:
        raise cursor.malformed(f"unknown form of limits 0x{flags:02x}")
    features |= {name for bit, name in _LIMIT_FEATURES.items() if flags & bit}
    bits = 64 if flags & _WIDE else 32
    minimum = cursor.unsigned(bits)
    maximum = cursor.unsigned(bits) if flags & _HAS_MAXIMUM else None
    if flags & _PAGE_SIZE:
        cursor.unsigned()
    return minimum, maximum


def _read_flag(cursor: Cursor) -> bool:
    if (flag := cursor.byte()) > 1:
        raise cursor.malformed(f"0 or 1 expected, got {flag}")
    return flag == 1


_INDEX, _I32, _I64 = Cursor.unsigned, Cursor.signed, partial(Cursor.signed, bits=64)
_BYTES_4, _BYTES_8, _BYTES_16 = (partial(Cursor.take, size=size) for size in (4, 8, 16))

# The instructions of constant expressions with their immediates; a prefix byte stands above 0xFF.
_PREFIXES = (0xFB, 0xFD)
_END = 0x0B
_CONSTANTS: dict[int, tuple[Callable[[Cursor], object], ...]] = {
    0x23: (_INDEX,),  # global.get
    0x41: (_I32,),
    0x42: (_I64,),
    0x43: (_BYTES_4,),  # f32.const
    0x44: (_BYTES_8,),  # f64.const
    **dict.fromkeys((0x6A, 0x6B, 0x6C, 0x7C, 0x7D, 0x7E), ()),  # add, sub, mul
    0xD0: (_read_heap_type,),  # ref.null
    0xD2: (_INDEX,),  # ref.func
    **dict.fromkeys((0xFB00, 0xFB01, 0xFB06, 0xFB07), (_INDEX,)),  # struct.new, array.new
    0xFB08: (_INDEX, _INDEX),  # array.new_fixed
    **dict.fromkeys((0xFB1A, 0xFB1B, 0xFB1C), ()),  # conversions, ref.i31
    0xFD0C: (_BYTES_16,),  # v128.const
}
