"""Builds access to the parts of values: elements, slices, fields and lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.infer.records import parts_with
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    STRING,
    VOID,
    WORD,
    ListType,
    MapType,
    OptionalType,
    Type,
    optional_of,
)
from mochi_rules.compiler.irbuild.objects import function_value, new_struct
from mochi_rules.compiler.names.builtins import FOREIGN_MODULES, FOREIGN_VALUES
from mochi_rules.compiler.names.symbols import (
    ForeignModule,
    Function,
    ModuleScope,
    Struct,
    Variable,
)
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import ExpressionRules, FunctionBuilder, PresentRules

LAST = 2**63 - 1  # the end of a slice without an end

# Indices and keys


def checked_index(b: FunctionBuilder, sequence: Value, index: Value, kind: str) -> Value:
    """Return an index from the start, in range; `kind` is list or string."""
    length = b.emit(f"{kind}.len", (sequence,), INT)
    return b.emit("check.index", (index, length), INT, kind)


def element_at(b: FunctionBuilder, xs: Value, index: Value, length: Value) -> Value:
    """Return an element of a list; control flow knows that 0 ≤ index < length here."""
    assert isinstance(xs.type, ListType)
    known = b.emit("index.known", (index, length), INT)
    return b.emit("list.load", (xs, known), xs.type.element)


def map_key(b: FunctionBuilder, key: Value, type_: MapType) -> Value:
    """Return a value as a key: an int, or its text; one that may be either is compared later."""
    if type_.key is INT:
        is_number = key.type in (INT, optional_of(INT))
        return b.convert(key, INT if is_number else ANY)
    if key.type is STRING:
        return key
    return b.runtime("key_text", (b.convert(key, ANY),), STRING)


def find_entry(b: FunctionBuilder, m: Value, key: Value) -> Value:
    """Return the place of a key in a map, or 0."""
    if key.type is ANY:
        return b.runtime("map_find_any", (m, key), WORD)
    return b.emit("map.find", (m, key), WORD)


def insert_entry(b: FunctionBuilder, m: Value, key: Value) -> Value:
    """Return the place of a key in a map, which has it then."""
    if key.type is ANY:
        return b.runtime("map_insert_any", (m, key, b.here()), WORD)
    return b.emit("map.insert", (m, key), WORD)


def _present_scalar(b: FunctionBuilder, node: ast.Index | ast.Field, type_: Type) -> Value | None:
    """Return a scalar from a map where the key must be there: without boxing it for null."""
    base_type = resolve(node.base.cell) if node.base.cell else ANY
    if not isinstance(base_type, MapType) or base_type.value is not type_ or node.safe:
        return None
    m, key = _map_and_key(b, node, base_type)
    b.at(node)
    entry = b.emit("check.some", (find_entry(b, m, key),), WORD)
    return b.emit("entry.load", (m, entry), type_)


def _map_and_key(
    b: FunctionBuilder, node: ast.Index | ast.Field, type_: MapType
) -> tuple[Value, Value]:
    m = b.expression(node.base)
    if isinstance(node, ast.Index):
        return m, map_key(b, b.expression(node.index), type_)
    return m, map_key(b, b.string(node.name), type_)


# Elements


def _index(b: FunctionBuilder, node: ast.Index) -> Value:
    base = b.expression(node.base)
    if node.safe:
        return _unless_null(b, base, node, lambda value: _element(b, value, node))
    return _element(b, b.not_null(base), node)


def _element(b: FunctionBuilder, base: Value, node: ast.Index) -> Value:
    type_ = base.type
    if isinstance(type_, ListType):
        index = b.value(node.index, INT)
        b.at(node)
        return b.emit("list.load", (base, checked_index(b, base, index, "list")), type_.element)
    if type_ is STRING:
        index = b.value(node.index, INT)
        b.at(node)
        place = (base, checked_index(b, base, index, "string"))
        return b.emit("string.char", (base, b.emit("string.offset", place, WORD)), STRING)
    if isinstance(type_, MapType):
        return lookup(b, base, map_key(b, b.expression(node.index), type_), type_)
    index = b.value(node.index, ANY)
    b.at(node)
    return b.runtime("any_index", (b.convert(base, ANY), index, b.here()), ANY)


def lookup(b: FunctionBuilder, m: Value, key: Value, type_: MapType) -> Value:
    """Return the value of a key, or null."""
    wanted = optional_of(type_.value)
    return _lookup_or(b, m, key, wanted, lambda: b.null(wanted))


def _lookup_or(
    b: FunctionBuilder, m: Value, key: Value, wanted: Type, otherwise: Callable[[], Value]
) -> Value:
    assert isinstance(m.type, MapType)
    type_ = m.type.value
    entry = find_entry(b, m, key)
    missing = b.emit("eq", (entry, b.const(0, WORD)), BOOL)
    return b.choose(
        b.branch(missing, likely=False),
        otherwise,
        lambda: b.convert(b.emit("entry.load", (m, entry), type_), wanted),
    )


def _unless_null(
    b: FunctionBuilder, base: Value, node: ast.Expr, access: Callable[[Value], Value]
) -> Value:
    """Build `?.` and `?[`: null where the base is null."""
    wanted = optional_of(resolve(node.cell))
    if not isinstance(base.type, OptionalType) and base.type is not ANY:
        return access(base)
    ways = b.branch(b.emit("is_null", (base,), BOOL))
    inner = base.type.inner if isinstance(base.type, OptionalType) else ANY
    return b.choose(
        ways,
        lambda: b.null(wanted),
        lambda: b.convert(access(b.emit("any.cast", (base,), inner)), wanted),
    )


def store_element(b: FunctionBuilder, target: ast.Index, value_node: ast.Expr) -> None:
    """Build `base[index] = value`; the value comes first."""
    base_type = resolve(target.base.cell)
    if isinstance(base_type, OptionalType):
        base_type = base_type.inner
    if isinstance(base_type, ListType):
        value = b.value(value_node, base_type.element)
        base = b.not_null(b.expression(target.base))
        index = checked_index(b, base, b.value(target.index, INT), "list")
        b.emit("list.store", (base, index, value))
    elif isinstance(base_type, MapType):
        value = b.value(value_node, base_type.value)
        base = b.not_null(b.expression(target.base))
        key = map_key(b, b.expression(target.index), base_type)
        b.emit("entry.store", (base, insert_entry(b, base, key), value))
    else:
        value = b.value(value_node, ANY)
        base = b.value(target.base, ANY)
        b.runtime("any_store", (base, b.value(target.index, ANY), value, b.here()), VOID)


def _slice(b: FunctionBuilder, node: ast.Slice) -> Value:
    base = b.not_null(b.expression(node.base))
    low = b.value(node.low, INT) if node.low else b.const(0, INT)
    high = b.value(node.high, INT) if node.high else b.const(LAST, INT)
    return slice_of(b, base, low, high)


def slice_of(b: FunctionBuilder, base: Value, low: Value, high: Value) -> Value:
    """Return a slice of a list, a string or anything."""
    if base.type is STRING:
        return b.runtime("string_slice", (base, low, high), STRING)
    if isinstance(base.type, ListType):
        return b.runtime("list_slice", (base, low, high), base.type)
    return b.runtime("any_slice", (b.convert(base, ANY), low, high, b.here()), ANY)


# Fields


def _field(b: FunctionBuilder, node: ast.Field) -> Value:
    owner = node.base.decl if isinstance(node.base, ast.Name) else None
    if isinstance(owner, (ForeignModule, ModuleScope)):
        return _member(b, node, owner)
    base = b.expression(node.base)
    b.at(node)
    if node.safe:
        return _unless_null(b, base, node, lambda value: load_field(b, value, node.name))
    return load_field(b, b.not_null(base), node.name)


def load_field(b: FunctionBuilder, base: Value, name: str) -> Value:
    """Return the field of a struct, a map or anything."""
    struct = b.struct_of(base.type)
    if struct is not None and name in struct.cells:
        attr = b.program.field_attribute(struct, name)
        return b.emit("field.load", (base,), resolve(struct.cells[name]), attr)
    if struct is not None and struct.role == "row":
        return _field_of_row(b, base, struct, name)
    if struct is not None and struct.role == "group" and name == "count":
        return length_of(b, base)
    if isinstance(base.type, MapType):
        return lookup(b, base, map_key(b, b.string(name), base.type), base.type)
    return b.runtime("any_field", (b.convert(base, ANY), b.string(name), b.here()), ANY)


def _field_of_row(b: FunctionBuilder, row: Value, struct: Struct, name: str) -> Value:
    """Return a field of the last of a row's records that has it, or null."""
    parts = parts_with(struct, name)
    types = {_field_type(b, resolve(struct.cells[part]), name) for part in parts}
    if len(types) != 1 or ANY in types:
        return b.runtime("struct_field", (row, b.string(name)), ANY)
    return _field_of_part(b, row, name, parts, types.pop())


def _field_type(b: FunctionBuilder, record: Type, name: str) -> Type:
    """Return the type of a field of a record; any where it is known only at run time."""
    inner = record.inner if isinstance(record, OptionalType) else record
    struct = b.struct_of(inner)
    if struct is not None and name in struct.cells:
        found = resolve(struct.cells[name])
        return found if inner is record else optional_of(found)
    return optional_of(inner.value) if isinstance(inner, MapType) else ANY


def _field_of_part(
    b: FunctionBuilder, row: Value, name: str, parts: list[str], wanted: Type
) -> Value:
    if not parts:
        return b.null(wanted)
    record = load_field(b, row, parts[0])
    otherwise = lambda: _field_of_part(b, row, name, parts[1:], wanted)  # noqa: E731

    def present(record: Value) -> Value:
        if isinstance(record.type, MapType):
            key = map_key(b, b.string(name), record.type)
            return _lookup_or(b, record, key, wanted, otherwise)
        return b.convert(load_field(b, record, name), wanted)

    if not isinstance(record.type, OptionalType):
        return present(record)
    inner = record.type.inner
    return b.choose(
        b.branch(b.emit("is_null", (record,), BOOL)),
        otherwise,
        lambda: present(b.emit("any.cast", (record,), inner)),
    )


def _member(b: FunctionBuilder, node: ast.Field, owner: ForeignModule | ModuleScope) -> Value:
    if isinstance(owner, ForeignModule):
        return _foreign_value(b, owner, node.name)
    symbol = owner.names.get(node.name)
    if isinstance(symbol, Variable):
        return b.read(symbol, node)
    if isinstance(symbol, Function):
        return function_value(b, symbol, [])
    if isinstance(symbol, Struct):
        return new_struct(b, symbol, {})
    return b.null(ANY)


def _foreign_value(b: FunctionBuilder, owner: ForeignModule, name: str) -> Value:
    """Return a constant of a foreign module."""
    type_ = FLOAT if FOREIGN_MODULES[owner.path][name] == "float" else INT
    return b.const(FOREIGN_VALUES[name], type_)


def store_field(b: FunctionBuilder, target: ast.Field, value_node: ast.Expr) -> None:
    """Build `base.name = value`; the value comes first."""
    base_type = resolve(target.base.cell)
    if isinstance(base_type, OptionalType):
        base_type = base_type.inner
    struct = b.struct_of(base_type)
    if struct is not None and target.name in struct.cells:
        value = b.value(value_node, resolve(struct.cells[target.name]))
        base = b.not_null(b.expression(target.base))
        attr = b.program.field_attribute(struct, target.name)
        b.emit("field.store", (base, value), VOID, attr)
    elif isinstance(base_type, MapType):
        value = b.value(value_node, base_type.value)
        base = b.not_null(b.expression(target.base))
        key = map_key(b, b.string(target.name), base_type)
        b.emit("entry.store", (base, insert_entry(b, base, key), value))
    else:
        value = b.value(value_node, ANY)
        base = b.value(target.base, ANY)
        b.runtime("any_store_field", (base, b.string(target.name), value, b.here()), VOID)


# Lengths


def length_of(b: FunctionBuilder, value: Value) -> Value:
    """Return the length of a list, map, string or anything."""
    type_ = value.type
    if isinstance(type_, ListType):
        return b.emit("list.len", (value,), INT)
    if isinstance(type_, MapType):
        return b.emit("map.len", (value,), INT)
    if type_ is STRING:
        return b.emit("string.len", (value,), INT)
    if isinstance(type_, OptionalType) and isinstance(type_.inner, (ListType, MapType)):
        ways = b.branch(b.emit("is_null", (value,), BOOL))
        inner = type_.inner
        return b.choose(
            ways,
            lambda: b.const(0, INT),
            lambda: length_of(b, b.emit("any.cast", (value,), inner)),
        )
    items = items_of(b, value)
    if items is not None:
        return length_of(b, items)
    return b.runtime("any_len", (b.convert(value, ANY), b.here()), INT)


def items_of(b: FunctionBuilder, value: Value) -> Value | None:
    """Return the items of a query's group."""
    struct = b.struct_of(value.type)
    if struct is not None and struct.role == "group":
        return load_field(b, value, "items")
    return None


EXPRESSIONS: ExpressionRules = {
    ast.Index: _index,
    ast.Slice: _slice,
    ast.Field: _field,
}
PRESENT: PresentRules = {ast.Index: _present_scalar, ast.Field: _present_scalar}
