"""Builds queries as nested loops that collect a list.

Every clause runs where the reference runs it: sources and joins in order, `where`, grouping,
`having`, sort keys and results row by row, then sorting, `distinct`, `skip` and `take`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.infer.queries import aggregate_of, key_name
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    INT,
    STRING,
    VOID,
    WORD,
    ListType,
    MapType,
    Type,
    list_of,
    map_of,
)
from mochi_rules.compiler.irbuild.access import element_at, length_of, load_field
from mochi_rules.compiler.irbuild.builtins import aggregate
from mochi_rules.compiler.irbuild.loops import Hidden, count, iterate
from mochi_rules.compiler.irbuild.objects import new_struct
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import ExpressionRules, FunctionBuilder


def _query(b: FunctionBuilder, node: ast.Query) -> Value:
    return _Plan(b, node).build()


class _Plan:
    """One query under construction; `state` are the hidden variables that its loops assign."""

    def __init__(self, builder: FunctionBuilder, node: ast.Query) -> None:
        self.b = builder
        self.node = node
        self.parts: list[ast.QuerySource | ast.QueryJoin] = [*node.sources, *node.joins]
        self.state: list[Any] = []
        self.aggregate = aggregate_of(node)
        self.result = self.aggregate.args[0] if self.aggregate else node.select
        self.element = self._element_type()
        self.rows = self._list("rows", self.element)
        self.keys = self._list("keys", ANY) if node.sort is not None else None

    def build(self) -> Value:
        """Build the loops; return the list, or the value of an aggregate."""
        if self.node.group is None:
            self._sources(self._collect)
        else:
            self._grouped(self.node.group)
        value = self._finish()
        for key in self.state:
            if key in self.b.env:
                self.b.env.pop(key)
        return value

    def _element_type(self) -> Type:
        type_ = resolve(self.result.cell)
        return ANY if type_ is VOID else type_

    def _hidden(self, name: str, value: Value) -> Hidden:
        key = Hidden(name)
        self.state.append(key)
        self.b.env[key] = value
        return key

    def _list(self, name: str, element: Type) -> Hidden:
        return self._hidden(name, self.b.emit("list.new", (), list_of(element)))

    def _append(self, key: Hidden, value: Value) -> None:
        xs = self.b.env[key]
        self.b.env[key] = self.b.emit("list.append", (xs, value), xs.type)

    # Results

    def _collect(self) -> None:
        """Take the current row into the result."""
        b = self.b
        if self.keys is not None and self.node.sort is not None:
            self._append(self.keys, b.value(self.node.sort, ANY))
        self._append(self.rows, b.value(self.result, self.element))

    def _finish(self) -> Value:
        b, node = self.b, self.node
        rows = b.env[self.rows]
        type_ = rows.type
        if self.keys is not None:
            rows = b.runtime("list_sort_by_keys", (rows, b.env[self.keys]), type_)
        if node.distinct:
            rows = b.runtime("list_distinct", (rows,), type_)
        if node.skip is not None:
            last = b.const(2**63 - 1, INT)
            rows = b.runtime("list_slice", (rows, b.value(node.skip, INT), last), type_)
        if node.take is not None:
            first = b.const(0, INT)
            rows = b.runtime("list_slice", (rows, first, b.value(node.take, INT)), type_)
        if self.aggregate is None:
            return rows
        assert isinstance(self.aggregate.callee, ast.Name)
        name = self.aggregate.callee.name
        return length_of(b, rows) if name == "count" else aggregate(b, name, rows)

    # Rows

    def _sources(self, row: Callable[[], None]) -> None:
        """Run something for every row that the sources, joins and `where` give."""
        joins = self.node.joins
        if len(joins) == 1 and len(self.node.sources) == 1 and joins[0].side == "right":
            self._right_join(joins[0], row)
        else:
            self._from(0, row)
            if len(joins) == 1 and joins[0].side == "outer":
                self._unmatched(joins[0], row)

    def _from(self, number: int, row: Callable[[], None]) -> None:
        if number == len(self.node.sources):
            self._join(0, row)
            return
        source = self.node.sources[number]

        def step(value: Value) -> None:
            self.b.declare(source.variable, value)
            self._from(number + 1, row)

        if number == 0:
            self._evaluate_joins()
        iterate(self.b, self.b.expression(source.source), self.state, step)

    def _evaluate_joins(self) -> None:
        """Evaluate what is joined once, before the loops; note which rows of it found a match."""
        b = self.b
        self.joined: list[Value] = []
        for join in self.node.joins:
            items = self._items(b.expression(join.source))
            self.joined.append(items)
        if len(self.node.joins) == 1 and self.node.joins[0].side == "outer":
            empty = b.emit("list.new", (), list_of(BOOL))
            self.matched_right = self._hidden("matched", empty)
            n = b.emit("list.len", (self.joined[0],), INT)
            count(b, b.const(0, INT), n, self.state, lambda _: self._append(
                self.matched_right, b.const(0, BOOL)))  # fmt: skip

    def _items(self, value: Value) -> Value:
        """Return what a join goes through as a list."""
        if isinstance(value.type, ListType):
            return value
        if isinstance(value.type, MapType):
            return self.b.runtime("map_keys", (value,), list_of(value.type.key))
        result = Hidden("items")
        element = ANY if value.type is not STRING else STRING
        self.b.env[result] = self.b.emit("list.new", (), list_of(element))
        step = lambda item: self._append(result, self.b.convert(item, element))  # noqa: E731
        iterate(self.b, value, [result], step)
        return self.b.env.pop(result)

    def _join(self, number: int, row: Callable[[], None]) -> None:
        b = self.b
        if number == len(self.node.joins):
            self._where(row)
            return
        join, items = self.node.joins[number], self.joined[number]
        keeps_left = join.side in ("left", "outer")
        matched = self._hidden("matched", b.const(0, BOOL)) if keeps_left else None
        length = b.emit("list.len", (items,), INT)
        one_more = b.emit("add", (length, b.const(1, INT)), INT) if keeps_left else length

        def step(index: Value) -> None:
            if matched is None:
                self._match(join, items, index, length)
            else:
                self._match_or_null(join, items, index, length, matched)
            self._join(number + 1, row)

        count(b, b.const(0, INT), one_more, self.state, step)

    def _match(self, join: ast.QueryJoin, items: Value, index: Value, length: Value) -> None:
        """Go on with the joined row if it fits, else with the next one."""
        b = self.b
        b.declare(join.variable, element_at(b, items, index, length))
        true, false = b.ways(join.condition)
        b.loops[-1].continues += false
        b.merge(true)

    def _match_or_null(
        self, join: ast.QueryJoin, items: Value, index: Value, length: Value, matched: Hidden
    ) -> None:
        """The round after the last row is for null, where no row fitted."""
        b = self.b
        is_row, is_last = b.branch(b.emit("lt", (index, length), BOOL))
        b.merge(is_row)
        self._match(join, items, index, length)
        b.env[matched] = b.const(1, BOOL)
        if join.side == "outer" and len(self.node.joins) == 1:
            known = b.emit("index.known", (index, length), INT)
            b.emit("list.store", (b.env[self.matched_right], known, b.const(1, BOOL)))
        found = b.exits()
        b.merge(is_last)
        has_match, alone = b.branch(b.env[matched])
        b.loops[-1].continues += has_match
        b.merge(alone)
        b.declare(join.variable, b.null(resolve(join.variable.type)))
        b.merge(found + b.exits())

    def _right_join(self, join: ast.QueryJoin, row: Callable[[], None]) -> None:
        """A right join is the left join of the other side."""
        source = self.node.sources[0]
        swapped = ast.QueryJoin(
            join.start, join.end, "left", source.name, source.source, join.condition
        )
        swapped.variable = source.variable
        b = self.b
        self.joined = [self._items(b.expression(source.source))]

        def step(value: Value) -> None:
            b.declare(join.variable, value)
            self._join(0, row)

        joins, self.node.joins = self.node.joins, [swapped]
        iterate(b, b.expression(join.source), self.state, step)
        self.node.joins = joins

    def _unmatched(self, join: ast.QueryJoin, row: Callable[[], None]) -> None:
        """After an outer join: the joined rows that no left row fitted."""
        b, items = self.b, self.joined[0]
        source = self.node.sources[0]
        length = b.emit("list.len", (items,), INT)

        def step(index: Value) -> None:
            done, alone = b.branch(element_at(b, b.env[self.matched_right], index, length))
            b.loops[-1].continues += done
            b.merge(alone)
            b.declare(source.variable, b.null(resolve(source.variable.type)))
            b.declare(join.variable, element_at(b, items, index, length))
            self._where(row)

        count(b, b.const(0, INT), length, self.state, step)

    def _where(self, row: Callable[[], None]) -> None:
        b = self.b
        if self.node.where is not None:
            self._keep_if(self.node.where)
        if b.block is not None:
            row()

    def _keep_if(self, condition: ast.Expr) -> None:
        """Go on with the next round of the loop unless a condition holds."""
        true, false = self.b.ways(condition)
        self.b.loops[-1].continues += false
        self.b.merge(true)

    # Groups

    def _grouped(self, group: ast.QueryGroup) -> None:
        b = self.b
        type_ = resolve(group.variable.type)
        groups = self._list("groups", type_)
        by_text = b.emit("map.new", (), map_of(STRING, type_))
        self._sources(lambda: self._put_into_group(group, groups, by_text, type_))

        def step(value: Value) -> None:
            b.declare(group.variable, value)
            for name, variable in group.parts.items():
                b.declare(variable, load_field(b, load_field(b, value, "key"), name))
            if group.having is not None:
                self._keep_if(group.having)
            if b.block is not None:
                self._collect()

        iterate(b, b.env[groups], self.state, step)

    def _put_into_group(
        self, group: ast.QueryGroup, groups: Hidden, by_text: Value, type_: Type
    ) -> None:
        """Add the current row to its group; groups are found by the text of their key."""
        b = self.b
        keys = [b.expression(key) for key in group.keys]
        key = keys[0] if len(keys) == 1 else self._key_map(group, keys)
        text = b.runtime("string_of_any", (b.convert(key, ANY),), STRING)
        entry = b.emit("map.find", (by_text, text), WORD)
        missing = b.emit("eq", (entry, b.const(0, WORD)), BOOL)
        found = b.choose(
            b.branch(missing),
            lambda: self._new_group(group, groups, by_text, text, (key, keys)),
            lambda: b.emit("entry.load", (by_text, entry), type_),
        )
        struct = b.struct_of(type_)
        assert struct is not None
        attr = b.program.field_attribute(struct, "items")
        items = load_field(b, found, "items")
        assert isinstance(items.type, ListType)
        row = self._row(group, items.type.element)
        b.emit("field.vacate", (found, items), VOID, attr)
        b.emit("field.store", (found, b.emit("list.append", (items, row), items.type)), VOID, attr)

    def _new_group(
        self, group: ast.QueryGroup, groups: Hidden, by_text: Value, text: Value,
        values: tuple[Value, list[Value]],
    ) -> Value:  # fmt: skip
        b = self.b
        struct = b.struct_of(resolve(group.variable.type))
        assert struct is not None
        key, keys = values
        named = {key_name(node, group): value for node, value in zip(group.keys, keys, strict=True)}
        fields = {name: b.convert(named[name], resolve(struct.cells[name])) for name in struct.cells
                  if name in named and len(keys) > 1}  # fmt: skip
        fields["key"] = b.convert(key, resolve(struct.cells["key"]))
        fields["items"] = b.emit("list.new", (), resolve(struct.cells["items"]))
        value = new_struct(b, struct, fields)
        self._append(groups, value)
        b.emit("entry.store", (by_text, b.emit("map.insert", (by_text, text), WORD), value))
        return value

    def _key_map(self, group: ast.QueryGroup, keys: list[Value]) -> Value:
        names = [key_name(node, group) for node in group.keys]
        struct = self.b.struct_of(resolve(group.variable.type))
        assert struct is not None
        return self._map(resolve(struct.cells["key"]), dict(zip(names, keys, strict=True)))

    def _row(self, group: ast.QueryGroup, element: Type) -> Value:
        """Return the current row as a group keeps it: the element, or a record of all variables."""
        b = self.b
        sources = self.parts
        if len(sources) == 1:
            return b.convert(b.read(sources[0].variable, sources[0]), element)
        values = {
            source.name: b.convert(b.read(source.variable, source), resolve(source.variable.type))
            for source in sources
        }
        return b.convert(new_struct(b, group.row, values), element)

    def _map(self, type_: Type, values: dict[str, Value]) -> Value:
        b = self.b
        assert isinstance(type_, MapType)
        m = b.emit("map.new", (), type_)
        for name, value in values.items():
            entry_value = b.convert(value, type_.value)
            b.emit("entry.store", (m, b.emit("map.insert", (m, b.string(name)), WORD), entry_value))
        return m


EXPRESSIONS: ExpressionRules = {ast.Query: _query}
