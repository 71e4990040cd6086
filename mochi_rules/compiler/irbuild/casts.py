"""Builds `e as T`: conversions that the program asks for, checked at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    STRING,
    WORD,
    ListType,
    MapType,
    OptionalType,
    Type,
    list_of,
)
from mochi_rules.compiler.irbuild.loops import iterate
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import ExpressionRules, FunctionBuilder

_CASTS = {INT: "cast_int", FLOAT: "cast_float", BOOL: "cast_bool", STRING: "cast_string"}


def _cast(b: FunctionBuilder, node: ast.Cast) -> Value:
    value = b.expression(node.operand)
    b.at(node)
    if node.cell.find().kind == "bigint":
        return as_bigint(b, value)
    return cast(b, value, resolve(node.cell))


def as_bigint(b: FunctionBuilder, value: Value) -> Value:
    """Return an integer of any size, as a tagged word."""
    tagged = b.convert(value, ANY)
    return tagged if value.type is INT else b.runtime("cast_bigint", (tagged, b.here()), ANY)


def cast(b: FunctionBuilder, value: Value, to: Type) -> Value:
    """Return a value as a type, converted deeply."""
    source = value.type
    if source is to or to is ANY:
        return b.convert(value, to)
    if to in _CASTS:
        return _scalar(b, value, to)
    if isinstance(to, OptionalType):
        if not (source is ANY or isinstance(source, OptionalType)):
            return b.convert(cast(b, value, to.inner), to)
        ways = b.branch(b.emit("is_null", (value,), BOOL))
        inner = source.inner if isinstance(source, OptionalType) else ANY
        return b.choose(
            ways,
            lambda: b.null(to),
            lambda: b.convert(cast(b, b.emit("any.cast", (value,), inner), to.inner), to),
        )
    value = b.not_null(value)
    if isinstance(to, ListType):
        return _list(b, value, to)
    if isinstance(to, MapType):
        return _map(b, value, to)
    struct = b.struct_of(to)
    if struct is not None and (isinstance(value.type, MapType) or value.type is ANY):
        return _struct(b, value, struct, to)
    return b.convert(value, to)


def _scalar(b: FunctionBuilder, value: Value, to: Type) -> Value:
    if (value.type, to) in ((INT, FLOAT), (FLOAT, INT)):
        return b.convert(value, to)
    if value.type is STRING and to is INT:
        return b.runtime("int_of_string", (value, b.here()), INT)
    return b.runtime(_CASTS[to], (b.convert(value, ANY), b.here()), to)


def _list(b: FunctionBuilder, value: Value, to: ListType) -> Value:
    if value.type is to:
        return b.runtime("list_copy", (value,), to)
    if value.type is ANY and to.element is ANY:
        return b.runtime("list_cast", (value, b.here()), to)
    result = _Result()
    b.env[result] = b.emit("list.new", (), to)

    def step(item: Value) -> None:
        element = cast(b, item, to.element)
        b.env[result] = b.emit("list.append", (b.env[result], element), to)

    iterate(b, value, [result], step)
    return b.env.pop(result)


def _map(b: FunctionBuilder, value: Value, to: MapType) -> Value:
    source = b.convert(value, ANY)
    m = b.emit("map.new", (), to)
    keys = b.runtime("any_key_texts", (source, b.here()), list_of(STRING))

    def step(key: Value) -> None:
        item = b.runtime("any_field", (source, key, b.here()), ANY)
        cast_key = key if to.key is STRING else cast(b, key, to.key)
        entry_value = cast(b, item, to.value)
        entry = b.emit("map.insert", (m, cast_key), WORD)
        b.emit("entry.store", (m, entry, entry_value))

    iterate(b, keys, [], step)
    return m


def _struct(b: FunctionBuilder, value: Value, struct: Any, to: Type) -> Value:
    """From a map, every declared field must be there; a struct of that type stays."""
    source = b.convert(value, ANY)
    name = b.program.struct_name(struct)
    ways = b.branch(b.emit("struct.is", (source,), BOOL, name))
    return b.choose(
        ways,
        lambda: b.emit("any.cast", (source,), to),
        lambda: b.emit("call", (source, b.here()), to, b.program.cast_to(struct, b.site)),
    )


def cast_fields(b: FunctionBuilder, source: Value, struct: Any, to: Type) -> Value:
    """Make a struct of the fields of a map, each cast to its type."""
    values = []
    for name, cell in struct.cells.items():
        args = (source, b.string(name), b.string(struct.name), b.here())
        values.append(cast(b, b.runtime("cast_field", args, ANY), resolve(cell)))
    return b.emit("struct.new", values, to, b.program.struct_name(struct))


class _Result:
    """The list under construction, as a variable."""

    name = "result"


EXPRESSIONS: ExpressionRules = {ast.Cast: _cast}
