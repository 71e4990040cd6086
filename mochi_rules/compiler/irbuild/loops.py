"""Builds loops over ranges and over everything that has elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    INT,
    STRING,
    WORD,
    ListType,
    MapType,
    OptionalType,
    list_of,
)
from mochi_rules.compiler.irbuild.access import element_at, load_field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder


class Hidden:
    """A variable that is not in the source; `name` is shown in the IR."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


def count(
    b: FunctionBuilder, low: Value, high: Value, assigned: Iterable[Any],
    step: Callable[[Value], None],
) -> None:  # fmt: skip
    """Run a step for every int from low up to high, exclusive."""
    walk(b, low, high, assigned, step, lambda at: b.emit("add", (at, b.const(1, INT)), INT))


def walk(
    b: FunctionBuilder, first: Value, high: Value, assigned: Iterable[Any],
    step: Callable[[Value], None], following: Callable[[Value], Value],
) -> None:  # fmt: skip
    """Run a step for an int, and the int that follows it, as long as they are below high."""
    counter = Hidden("i")
    b.env[counter] = first
    loop = b.begin_loop([*assigned, counter])
    true, false = b.branch(b.emit("lt", (b.env[counter], high), BOOL))
    b.merge(true)
    step(b.env[counter])
    b.continue_point(loop)
    if b.block is not None:
        b.env[counter] = following(b.env[counter])
    b.end_loop(loop, false)


def iterate(
    b: FunctionBuilder, collection: Value, assigned: Iterable[Any],
    step: Callable[[Value], None],
) -> None:  # fmt: skip
    """Run a step for every element of a list, key of a map or code point of a string."""
    type_ = collection.type
    if isinstance(type_, ListType):
        _over_list(b, collection, assigned, step)
    elif isinstance(type_, MapType):
        keys = b.runtime("map_keys", (collection,), list_of(type_.key))
        _over_list(b, keys, assigned, step)
    elif type_ is STRING:
        _over_string(b, collection, assigned, step)
    elif isinstance(type_, OptionalType):
        _over_optional(b, collection, type_, assigned, step)
    elif (struct := b.struct_of(type_)) and struct.role == "group":
        iterate(b, load_field(b, collection, "items"), assigned, step)
    else:
        _over_any(b, b.convert(collection, ANY), assigned, step)


def _over_list(
    b: FunctionBuilder, xs: Value, assigned: Iterable[Any], step: Callable[[Value], None]
) -> None:
    # No list gets shorter, and one that we hold is not extended in place.
    length = b.emit("list.len", (xs,), INT)

    def element(index: Value) -> None:
        step(element_at(b, xs, index, length))

    count(b, b.const(0, INT), length, assigned, element)


def _over_string(
    b: FunctionBuilder, text: Value, assigned: Iterable[Any], step: Callable[[Value], None]
) -> None:
    offset = Hidden("offset")
    end = b.runtime("string_size", (text,), WORD)
    b.env[offset] = b.const(0, WORD)
    loop = b.begin_loop([*assigned, offset])
    here = b.env[offset]
    true, false = b.branch(b.emit("lt_u", (here, end), BOOL))
    b.merge(true)
    step(b.emit("string.char", (text, here), STRING))
    b.continue_point(loop)
    if b.block is not None:
        b.env[offset] = b.emit("string.next", (text, here), WORD)
    b.end_loop(loop, false)


def _over_optional(
    b: FunctionBuilder, value: Value, type_: OptionalType, assigned: Iterable[Any],
    step: Callable[[Value], None],
) -> None:  # fmt: skip
    """Null has no elements."""
    null, some = b.branch(b.emit("is_null", (value,), BOOL))
    b.merge(some)
    iterate(b, b.emit("any.cast", (value,), type_.inner), assigned, step)
    b.merge(null + b.exits())


def _over_any(
    b: FunctionBuilder, value: Value, assigned: Iterable[Any], step: Callable[[Value], None]
) -> None:
    items = b.runtime("any_iterate", (value, b.here()), list_of(ANY))
    length = b.emit("list.len", (items,), INT)

    def element(index: Value) -> None:
        number = b.emit("word.of_int", (index,), WORD)
        step(b.runtime("list_element", (items, number), ANY))

    count(b, b.const(0, INT), length, assigned, element)
