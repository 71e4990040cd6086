"""Static types, as inference finds them and as the IR carries them.

Types are interned: two equal types are one object, so `is` compares them. What a type means in
memory is in `lower/object_layout.py`; here only which machine class holds a value.
"""

from __future__ import annotations

from functools import cache

from mochi_rules.base.dataclass import dataclass, field

_UNCOUNTED = frozenset({"int", "float", "bool", "null", "word", "void"})


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """A type; `name` is what people read. Types without arguments are the constants below.

    `is_counted` is whether values are references that take part in reference counting.
    """

    name: str
    is_counted: bool = field(init=False)

    def __post_init__(self) -> None:
        is_constant = type(self) is Type  # a struct may have any name
        object.__setattr__(self, "is_counted", not is_constant or self.name not in _UNCOUNTED)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, eq=False)
class ListType(Type):
    """`list<element>`."""

    element: Type


@dataclass(frozen=True, slots=True, eq=False)
class MapType(Type):
    """`map<key, value>`; the key is int or string."""

    key: Type
    value: Type


@dataclass(frozen=True, slots=True, eq=False)
class StructType(Type):
    """A struct or a variant of a union, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class UnionType(Type):
    """A union of variants, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class FunType(Type):
    """A function value."""

    params: tuple[Type, ...]
    result: Type


@dataclass(frozen=True, slots=True, eq=False)
class OptionalType(Type):
    """A value of `inner` or null; never nested, and never of any or null."""

    inner: Type


INT = Type("int")  # 64-bit signed
FLOAT = Type("float")  # IEEE double
BOOL = Type("bool")
STRING = Type("string")
NULL = Type("null")
ANY = Type("any")  # a tagged word: describes itself at run time
WORD = Type("word")  # an address or a size; only the runtime library computes with it
CELL = Type("cell")  # a captured variable on the heap
VOID = Type("void")  # the result of an operation that has none

SCALARS = frozenset({INT, FLOAT, BOOL})


@cache
def list_of(element: Type) -> ListType:
    """Return the type of lists of an element type."""
    return ListType(f"list<{element}>", element)


@cache
def map_of(key: Type, value: Type) -> MapType:
    """Return the type of maps."""
    return MapType(f"map<{key}, {value}>", key, value)


@cache
def struct_of(name: str) -> StructType:
    """Return the type of a struct."""
    return StructType(name)


@cache
def union_of(name: str) -> UnionType:
    """Return the type of a union."""
    return UnionType(name)


@cache
def fun_of(params: tuple[Type, ...], result: Type) -> FunType:
    """Return the type of functions."""
    listed = ", ".join(map(str, params))
    return FunType(f"fun({listed}): {result}", params, result)


@cache
def optional_of(inner: Type) -> Type:
    """Return the type of `inner` or null; a type that has null already stays itself."""
    if inner in (ANY, NULL) or isinstance(inner, OptionalType):
        return inner
    name = f"({inner})" if isinstance(inner, FunType) else inner.name
    return OptionalType(f"{name}?", inner)


def is_boxed(type_: Type) -> bool:
    """Whether values are tagged words: any, null, and a scalar or null."""
    if isinstance(type_, OptionalType):
        return type_.inner in SCALARS
    return type_ in (ANY, NULL)
