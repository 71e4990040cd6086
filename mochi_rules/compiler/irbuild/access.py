"""Builds access to elements, slices and fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.infer.records import parts_with
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
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
    from mochi_rules.compiler.irbuild.function import FunctionBuilder

LAST = 2**63 - 1  # the end of a slice that has none


class AccessBuilder:
    """What access to the parts of values becomes."""

    def __init__(self, builder: FunctionBuilder) -> None:
        self.b = builder
        self.handlers: dict[type, Callable[[Any], Value]] = {
            ast.Index: self._index, ast.Slice: self._slice, ast.Field: self._field,
        }  # fmt: skip

    # Shared with other rules

    def not_null(self, value: Value) -> Value:
        """Return a value without its null; null stops the program."""
        if isinstance(value.type, OptionalType):
            return self.b.emit("check.some", (value,), value.type.inner)
        return value

    def checked_index(self, sequence: Value, index: Value, kind: str) -> Value:
        """Return an index from the start, in range; `kind` is list or string."""
        b = self.b
        length = b.emit(f"{kind}.len", (sequence,), INT)
        wrapped = b.emit("index.wrap", (index, length), INT)
        b.emit("check.index", (wrapped, length), VOID, kind)
        return wrapped

    def map_key(self, key: Value, type_: MapType) -> Value:
        """Return a value as a key: an int, or its text."""
        if type_.key is INT:
            return self.b.convert(key, INT)
        if key.type is STRING:
            return key
        return self.b.runtime("key_text", (self.b.convert(key, ANY),), STRING)

    def present_scalar(self, node: ast.Index | ast.Field, type_: Type) -> Value | None:
        """Return a scalar from a map where the key must be there: without boxing it for null."""
        base_type = resolve(node.base.cell) if node.base.cell else ANY
        if not isinstance(base_type, MapType) or base_type.value is not type_ or node.safe:
            return None
        b = self.b
        m, key = self._map_and_key(node, base_type)
        b.at(node)
        entry = b.emit("check.some", (b.emit("map.find", (m, key), WORD),), WORD)
        return b.emit("entry.load", (m, entry), type_)

    def _map_and_key(self, node: ast.Index | ast.Field, type_: MapType) -> tuple[Value, Value]:
        m = self.b.expression(node.base)
        if isinstance(node, ast.Index):
            return m, self.map_key(self.b.expression(node.index), type_)
        return m, self.map_key(self.b.string(node.name), type_)

    # Elements

    def _index(self, node: ast.Index) -> Value:
        b = self.b
        base = b.expression(node.base)
        if node.safe:
            return self._unless_null(base, node, lambda value: self._element(value, node))
        return self._element(self.not_null(base), node)

    def _element(self, base: Value, node: ast.Index) -> Value:
        b, type_ = self.b, base.type
        if isinstance(type_, ListType):
            index = b.value(node.index, INT)
            b.at(node)
            return b.emit(
                "list.load", (base, self.checked_index(base, index, "list")), type_.element
            )
        if type_ is STRING:
            index = b.value(node.index, INT)
            b.at(node)
            return b.runtime("string_at", (base, self.checked_index(base, index, "string")), STRING)
        if isinstance(type_, MapType):
            return self.lookup(base, self.map_key(b.expression(node.index), type_), type_)
        index = b.value(node.index, ANY)
        b.at(node)
        return b.runtime("any_index", (b.convert(base, ANY), index, b.here()), ANY)

    def lookup(self, m: Value, key: Value, type_: MapType) -> Value:
        """Return the value of a key, or null."""
        wanted = optional_of(type_.value)
        return self._lookup_or(m, key, wanted, lambda: self.b.null(wanted))

    def _lookup_or(
        self, m: Value, key: Value, wanted: Type, otherwise: Callable[[], Value]
    ) -> Value:
        b = self.b
        assert isinstance(m.type, MapType)
        type_ = m.type.value
        entry = b.emit("map.find", (m, key), WORD)
        missing = b.emit("eq", (entry, b.const(0, WORD)), BOOL)
        return b.choose(
            b.branch(missing, likely=False),
            otherwise,
            lambda: b.convert(b.emit("entry.load", (m, entry), type_), wanted),
        )

    def _unless_null(self, base: Value, node: ast.Expr, access: Callable[[Value], Value]) -> Value:
        """Build `?.` and `?[`: null where the base is null."""
        b, wanted = self.b, optional_of(resolve(node.cell))
        if not isinstance(base.type, OptionalType) and base.type is not ANY:
            return access(base)
        ways = b.branch(b.emit("is_null", (base,), BOOL))
        inner = base.type.inner if isinstance(base.type, OptionalType) else ANY
        return b.choose(
            ways,
            lambda: b.null(wanted),
            lambda: b.convert(access(b.emit("any.cast", (base,), inner)), wanted),
        )

    def store_element(self, target: ast.Index, value_node: ast.Expr) -> None:
        """Build `base[index] = value`; the value comes first."""
        b = self.b
        base_type = resolve(target.base.cell)
        if isinstance(base_type, OptionalType):
            base_type = base_type.inner
        if isinstance(base_type, ListType):
            value = b.value(value_node, base_type.element)
            base = self.not_null(b.expression(target.base))
            index = self.checked_index(base, b.value(target.index, INT), "list")
            b.emit("list.store", (base, index, value))
        elif isinstance(base_type, MapType):
            value = b.value(value_node, base_type.value)
            base = self.not_null(b.expression(target.base))
            key = self.map_key(b.expression(target.index), base_type)
            b.emit("entry.store", (base, b.emit("map.insert", (base, key), WORD), value))
        else:
            value = b.value(value_node, ANY)
            base = b.value(target.base, ANY)
            b.runtime("any_store", (base, b.value(target.index, ANY), value, b.here()), VOID)

    def _slice(self, node: ast.Slice) -> Value:
        b = self.b
        base = self.not_null(b.expression(node.base))
        low = b.value(node.low, INT) if node.low else b.const(0, INT)
        high = b.value(node.high, INT) if node.high else b.const(LAST, INT)
        return self.slice(base, low, high)

    def slice(self, base: Value, low: Value, high: Value) -> Value:
        """Return a slice of a list, a string or anything."""
        b = self.b
        if base.type is STRING:
            return b.runtime("string_slice", (base, low, high), STRING)
        if isinstance(base.type, ListType):
            return b.runtime("list_slice", (base, low, high), base.type)
        return b.runtime("any_slice", (b.convert(base, ANY), low, high, b.here()), ANY)

    # Fields

    def _field(self, node: ast.Field) -> Value:
        owner = node.base.decl if isinstance(node.base, ast.Name) else None
        if isinstance(owner, (ForeignModule, ModuleScope)):
            return self._member(node, owner)
        base = self.b.expression(node.base)
        self.b.at(node)
        if node.safe:
            return self._unless_null(base, node, lambda value: self.field(value, node.name))
        return self.field(self.not_null(base), node.name)

    def field(self, base: Value, name: str) -> Value:
        """Return the field of a struct, a map or anything."""
        b = self.b
        struct = b.struct_of(base.type)
        if struct is not None and name in struct.cells:
            attr = b.program.field_attribute(struct, name)
            return b.emit("field.load", (base,), resolve(struct.cells[name]), attr)
        if struct is not None and struct.role == "row":
            return self._field_of_row(base, struct, name)
        if struct is not None and struct.role == "group" and name == "count":
            return b.calls.builtins.length(base)
        if isinstance(base.type, MapType):
            return self.lookup(base, self.map_key(b.string(name), base.type), base.type)
        return b.runtime("any_field", (b.convert(base, ANY), b.string(name), b.here()), ANY)

    def _field_of_row(self, row: Value, struct: Struct, name: str) -> Value:
        """Return a field of the last of a row's records that has it, or null."""
        b, parts = self.b, parts_with(struct, name)
        types = {self._field_type(resolve(struct.cells[part]), name) for part in parts}
        if len(types) != 1 or ANY in types:
            return b.runtime("struct_field", (row, b.string(name)), ANY)
        return self._field_of_part(row, name, parts, types.pop())

    def _field_type(self, record: Type, name: str) -> Type:
        """Return what reading a field of a record gives; any where only the object knows."""
        inner = record.inner if isinstance(record, OptionalType) else record
        struct = self.b.struct_of(inner)
        if struct is not None and name in struct.cells:
            found = resolve(struct.cells[name])
            return found if inner is record else optional_of(found)
        return optional_of(inner.value) if isinstance(inner, MapType) else ANY

    def _field_of_part(self, row: Value, name: str, parts: list[str], wanted: Type) -> Value:
        b = self.b
        if not parts:
            return b.null(wanted)
        record = self.field(row, parts[0])
        otherwise = lambda: self._field_of_part(row, name, parts[1:], wanted)  # noqa: E731

        def present(record: Value) -> Value:
            if isinstance(record.type, MapType):
                key = self.map_key(b.string(name), record.type)
                return self._lookup_or(record, key, wanted, otherwise)
            return b.convert(self.field(record, name), wanted)

        if not isinstance(record.type, OptionalType):
            return present(record)
        inner = record.type.inner
        return b.choose(
            b.branch(b.emit("is_null", (record,), BOOL)),
            otherwise,
            lambda: present(b.emit("any.cast", (record,), inner)),
        )

    def _member(self, node: ast.Field, owner: ForeignModule | ModuleScope) -> Value:
        if isinstance(owner, ForeignModule):
            return self.b.calls.foreign_value(owner, node.name)
        symbol = owner.names.get(node.name)
        if isinstance(symbol, Variable):
            return self.b.read(symbol, node)
        if isinstance(symbol, Function):
            return self.b.calls.function_value(symbol, [])
        if isinstance(symbol, Struct):
            return self.b.expressions.new_struct(symbol, {})
        return self.b.null(ANY)

    def store_field(self, target: ast.Field, value_node: ast.Expr) -> None:
        """Build `base.name = value`; the value comes first."""
        b = self.b
        base_type = resolve(target.base.cell)
        if isinstance(base_type, OptionalType):
            base_type = base_type.inner
        struct = b.struct_of(base_type)
        if struct is not None and target.name in struct.cells:
            value = b.value(value_node, resolve(struct.cells[target.name]))
            base = self.not_null(b.expression(target.base))
            attr = b.program.field_attribute(struct, target.name)
            b.emit("field.store", (base, value), VOID, attr)
        elif isinstance(base_type, MapType):
            value = b.value(value_node, base_type.value)
            base = self.not_null(b.expression(target.base))
            key = self.map_key(b.string(target.name), base_type)
            b.emit("entry.store", (base, b.emit("map.insert", (base, key), WORD), value))
        else:
            value = b.value(value_node, ANY)
            base = b.value(target.base, ANY)
            b.runtime("any_store_field", (base, b.string(target.name), value, b.here()), VOID)
