"""Builds groups: the rows with equal keys, in the order of the first row of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import BOOL, INT, VOID, WORD, ListType, MapType
from mochi_rules.compiler.irbuild.access import element_at, load_field
from mochi_rules.compiler.irbuild.loops import iterate
from mochi_rules.compiler.irbuild.objects import new_struct
from mochi_rules.compiler.irbuild.queries.group_keys import KeyNumbers
from mochi_rules.compiler.irbuild.queries.rows import keep_if

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.ir.types import Type
    from mochi_rules.compiler.irbuild.context import FunctionBuilder
    from mochi_rules.compiler.irbuild.queries.hidden import HiddenVariables
    from mochi_rules.compiler.irbuild.queries.plan import Plan
    from mochi_rules.compiler.names.symbols import Struct
    from mochi_rules.compiler.syntax import ast


class GroupKeys:
    """The keys of a query's groups: of the current row, by number, and as values of the program."""

    def __init__(self, builder: FunctionBuilder, group: ast.QueryGroup) -> None:
        self.b = builder
        self.group = group
        self.type = resolve(group.variable.type)
        self.numbers = KeyNumbers(builder, group)
        self.values: list[Value] = []

    @property
    def struct(self) -> Struct:
        """What the program sees of a group."""
        struct = self.b.struct_of(self.type)
        assert struct is not None
        return struct

    def number(self, following: Value) -> Value:
        """Return the number of the group of the current row; a new one gets what follows."""
        self.values = [self.b.expression(node) for node in self.numbers.nodes]
        return self.numbers.number(self.values, self._whole, following)

    def fields(self) -> dict[str, Value]:
        """Return the fields of a new group that are its key."""
        b, cells = self.b, self.struct.cells
        named = dict(zip(self.numbers.names, self.values, strict=False))
        fields = {
            name: b.convert(named[name], resolve(cells[name]))
            for name in cells
            if name in named and len(self.group.keys) > 1
        }
        return {**fields, "key": b.convert(self._whole(), resolve(cells["key"]))}

    def _whole(self) -> Value:
        b, names = self.b, self.numbers.names
        if not names:
            return self.values[0]
        type_ = resolve(self.struct.cells["key"])
        assert isinstance(type_, MapType)
        m = b.emit("map.new", (), type_)
        for name, value in zip(names, self.values, strict=True):
            converted = b.convert(value, type_.value)
            b.emit("entry.store", (m, b.emit("map.insert", (m, b.string(name)), WORD), converted))
        return m

    def declare_parts(self, key: Value) -> None:
        """Declare the variables of a key with names."""
        for name, variable in self.group.parts.items():
            self.b.declare(variable, load_field(self.b, key, name))


def current_row(b: FunctionBuilder, plan: Plan, group: ast.QueryGroup, element: Type) -> Value:
    """Return the current row as it is in a group: the element, or a record of all variables."""
    sources: list[ast.QuerySource | ast.QueryJoin] = [*plan.node.sources, *plan.node.joins]
    if len(sources) == 1:
        return b.convert(b.read(sources[0].variable, sources[0]), element)
    values = {
        source.name: b.convert(b.read(source.variable, source), resolve(source.variable.type))
        for source in sources
    }
    return b.convert(new_struct(b, group.row, values), element)


class Groups:
    """The groups of a query, with their elements."""

    def __init__(
        self, builder: FunctionBuilder, plan: Plan, group: ast.QueryGroup, hidden: HiddenVariables
    ) -> None:
        self.b = builder
        self.plan = plan
        self.group = group
        self.hidden = hidden
        self.keys = GroupKeys(builder, group)
        self.groups = hidden.new_list("groups", self.keys.type)

    def add(self) -> None:
        """Add the current row to its group."""
        b = self.b
        following = b.emit("list.len", (b.env[self.groups],), INT)
        number = self.keys.number(following)
        is_new = b.emit("eq", (number, following), BOOL)
        found = b.choose(
            b.branch(is_new, likely=False),
            self._new,
            lambda: element_at(b, b.env[self.groups], number, following),
        )
        attr = b.program.field_attribute(self.keys.struct, "items")
        items = load_field(b, found, "items")
        assert isinstance(items.type, ListType)
        row = current_row(b, self.plan, self.group, items.type.element)
        b.emit("field.vacate", (found, items), VOID, attr)
        b.emit("field.store", (found, b.emit("list.append", (items, row), items.type)), VOID, attr)

    def _new(self) -> Value:
        b, struct = self.b, self.keys.struct
        fields = self.keys.fields()
        fields["items"] = b.emit("list.new", (), resolve(struct.cells["items"]))
        value = new_struct(b, struct, fields)
        self.hidden.append(self.groups, value)
        return value

    def each(self, step: Callable[[], None]) -> None:
        """Run a step for every group that `having` keeps."""
        b, group = self.b, self.group

        def one(value: Value) -> None:
            b.declare(group.variable, value)
            self.keys.declare_parts(load_field(b, value, "key"))
            if group.having is not None:
                keep_if(b, b.ways(group.having))
            if b.block is not None:
                step()

        iterate(b, b.env[self.groups], self.hidden.keys, one)
