"""The types of WebAssembly: values, functions, tables, memories, globals (core 2.0, §2.3)."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, NamedTuple, TypeAlias

from mochi_rules.base.dataclass import dataclass

# A name of VALUE_TYPES. Foreign modules also have others, such as `(ref null 3)`.
ValueType: TypeAlias = str

VALUE_TYPES: dict[ValueType, int] = {
    "i32": 0x7F,
    "i64": 0x7E,
    "f32": 0x7D,
    "f64": 0x7C,
    "v128": 0x7B,
    "funcref": 0x70,
    "externref": 0x6F,
}

ExternKind: TypeAlias = Literal["func", "table", "memory", "global", "tag"]

EXTERN_KINDS: dict[ExternKind, int] = {"func": 0, "table": 1, "memory": 2, "global": 3, "tag": 4}


class Section(IntEnum):
    """The sections of a module with their numbers, in the order of the binary (§5.5.2)."""

    TYPE = 1
    IMPORT = 2
    FUNCTION = 3
    TABLE = 4
    MEMORY = 5
    TAG = 13
    GLOBAL = 6
    EXPORT = 7
    START = 8
    ELEMENT = 9
    DATA_COUNT = 12
    CODE = 10
    DATA = 11
    CUSTOM = 0  # may stand anywhere; here it stands last


class FuncType(NamedTuple):  # a tuple, because it is a key for each function of each program
    """What a function, or a block, takes from the stack and leaves on it."""

    params: tuple[ValueType, ...] = ()
    results: tuple[ValueType, ...] = ()


@dataclass(frozen=True, slots=True)
class TableType:
    """A table; limits in elements."""

    minimum: int
    maximum: int | None = None
    element: ValueType = "funcref"


@dataclass(frozen=True, slots=True)
class MemoryType:
    """A linear memory; limits in pages of 64 KiB."""

    minimum: int
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class GlobalType:
    """A global variable or constant."""

    value: ValueType
    mutable: bool = False


ExternType: TypeAlias = FuncType | TableType | MemoryType | GlobalType


def extern_kind(type_: ExternType) -> Literal["func", "table", "memory", "global"]:
    """Return what a type is the type of."""
    match type_:
        case FuncType():
            return "func"
        case TableType():
            return "table"
        case MemoryType():
            return "memory"
        case GlobalType():
            return "global"
