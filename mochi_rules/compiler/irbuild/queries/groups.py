"""Builds groups: the rows with equal keys, in the order of the first row of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.infer.queries import key_name
from mochi_rules.compiler.ir.types import ANY, BOOL, STRING, VOID, WORD, ListType, MapType, map_of
from mochi_rules.compiler.irbuild.access import load_field
from mochi_rules.compiler.irbuild.loops import iterate
from mochi_rules.compiler.irbuild.objects import new_struct
from mochi_rules.compiler.irbuild.queries.rows import keep_if

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.ir.types import Type
    from mochi_rules.compiler.irbuild.context import FunctionBuilder
    from mochi_rules.compiler.irbuild.queries.hidden import HiddenVariables
    from mochi_rules.compiler.irbuild.queries.plan import Plan
    from mochi_rules.compiler.syntax import ast


class Groups:
    """The groups of a query under construction."""

    def __init__(
        self, builder: FunctionBuilder, plan: Plan, group: ast.QueryGroup, hidden: HiddenVariables
    ) -> None:
        self.b = builder
        self.node = plan.node
        self.group = group
        self.hidden = hidden
        self.type = resolve(group.variable.type)
        self.groups = hidden.new_list("groups", self.type)
        self.by_text = builder.emit("map.new", (), map_of(STRING, self.type))

    def each(self, step: Callable[[], None]) -> None:
        """Run a step for every group that `having` keeps."""
        b, group = self.b, self.group

        def one(value: Value) -> None:
            b.declare(group.variable, value)
            for name, variable in group.parts.items():
                b.declare(variable, load_field(b, load_field(b, value, "key"), name))
            if group.having is not None:
                keep_if(b, b.ways(group.having))
            if b.block is not None:
                step()

        iterate(b, b.env[self.groups], self.hidden.keys, one)

    def add(self) -> None:
        """Add the current row to its group; groups are found by the text of their key."""
        b = self.b
        keys = [b.expression(key) for key in self.group.keys]
        key = keys[0] if len(keys) == 1 else self._key_map(keys)
        text = b.runtime("string_of_any", (b.convert(key, ANY),), STRING)
        entry = b.emit("map.find", (self.by_text, text), WORD)
        missing = b.emit("eq", (entry, b.const(0, WORD)), BOOL)
        found = b.choose(
            b.branch(missing),
            lambda: self._new(text, key, keys),
            lambda: b.emit("entry.load", (self.by_text, entry), self.type),
        )
        struct = b.struct_of(self.type)
        assert struct is not None
        attr = b.program.field_attribute(struct, "items")
        items = load_field(b, found, "items")
        assert isinstance(items.type, ListType)
        row = self._row(items.type.element)
        b.emit("field.vacate", (found, items), VOID, attr)
        b.emit("field.store", (found, b.emit("list.append", (items, row), items.type)), VOID, attr)

    def _new(self, text: Value, key: Value, keys: list[Value]) -> Value:
        b = self.b
        struct = b.struct_of(self.type)
        assert struct is not None
        names = [key_name(node, self.group) for node in self.group.keys]
        named = dict(zip(names, keys, strict=True))
        fields = {name: b.convert(named[name], resolve(struct.cells[name])) for name in struct.cells
                  if name in named and len(keys) > 1}  # fmt: skip
        fields["key"] = b.convert(key, resolve(struct.cells["key"]))
        fields["items"] = b.emit("list.new", (), resolve(struct.cells["items"]))
        value = new_struct(b, struct, fields)
        self.hidden.append(self.groups, value)
        entry = b.emit("map.insert", (self.by_text, text), WORD)
        b.emit("entry.store", (self.by_text, entry, value))
        return value

    def _key_map(self, keys: list[Value]) -> Value:
        names = [key_name(node, self.group) for node in self.group.keys]
        struct = self.b.struct_of(self.type)
        assert struct is not None
        return self._map(resolve(struct.cells["key"]), dict(zip(names, keys, strict=True)))

    def _row(self, element: Type) -> Value:
        """Return the current row as a group keeps it: the element, or a record of all variables."""
        b = self.b
        sources: list[ast.QuerySource | ast.QueryJoin] = [*self.node.sources, *self.node.joins]
        if len(sources) == 1:
            return b.convert(b.read(sources[0].variable, sources[0]), element)
        values = {
            source.name: b.convert(b.read(source.variable, source), resolve(source.variable.type))
            for source in sources
        }
        return b.convert(new_struct(b, self.group.row, values), element)

    def _map(self, type_: Type, values: dict[str, Value]) -> Value:
        b = self.b
        assert isinstance(type_, MapType)
        m = b.emit("map.new", (), type_)
        for name, value in values.items():
            entry_value = b.convert(value, type_.value)
            b.emit("entry.store", (m, b.emit("map.insert", (m, b.string(name)), WORD), entry_value))
        return m
