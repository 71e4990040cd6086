"""Builds groups without elements: a list of keys, and one of each state of an aggregate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import BOOL, INT, ListType
from mochi_rules.compiler.irbuild.access import element_at
from mochi_rules.compiler.irbuild.loops import count
from mochi_rules.compiler.irbuild.queries.groups import GroupKeys, current_row
from mochi_rules.compiler.irbuild.queries.rows import keep_if

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.builder import Exit
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder
    from mochi_rules.compiler.irbuild.loops import Hidden
    from mochi_rules.compiler.irbuild.queries.group_uses import GroupFold, GroupUses
    from mochi_rules.compiler.irbuild.queries.hidden import HiddenVariables
    from mochi_rules.compiler.irbuild.queries.plan import Plan
    from mochi_rules.compiler.syntax import ast


class FoldedGroups:
    """The groups of a query, by number, as lists of what is used of them."""

    def __init__(
        self, builder: FunctionBuilder, plan: Plan, group: ast.QueryGroup, hidden: HiddenVariables,
        uses: GroupUses,
    ) -> None:  # fmt: skip
        self.b = builder
        self.plan = plan
        self.group = group
        self.hidden = hidden
        self.uses = uses
        self.keys = GroupKeys(builder, group)
        cells = self.keys.struct.cells
        self.fields = {
            name: hidden.new_list(name, resolve(cell))
            for name, cell in cells.items()
            if name != "items"
        }
        self.kept = {
            use: [hidden.new_list(use.fold.name, type_) for type_ in use.fold.kept]
            for use in uses.folds
        }

    def add(self) -> None:
        """Add the current row to its group."""
        b = self.b
        following = b.emit("list.len", (b.env[self.fields["key"]],), INT)
        number = self.keys.number(following)
        new, known = b.branch(b.emit("eq", (number, following), BOOL), likely=False)
        b.merge(new)
        self._new()
        b.merge(known + b.exits())
        for use in self.uses.folds:
            self._fold(use, number)

    def _new(self) -> None:
        for name, value in self.keys.fields().items():
            self.hidden.append(self.fields[name], value)
        for use, lists in self.kept.items():
            for key, value in zip(lists, use.fold.start(self.b), strict=True):
                self.hidden.append(key, value)

    def _fold(self, use: GroupFold, number: Value) -> None:
        """Add the current row to an aggregate of its group."""
        b = self.b
        items = resolve(self.keys.struct.cells["items"])
        assert isinstance(items, ListType)
        value = None
        if use.needs_row:
            value = current_row(b, self.plan, self.group, items.element)
            if use.variable is not None:
                b.declare(use.variable, value)
        skipped: list[Exit] = []
        for condition in use.filters:
            true, false = b.ways(condition)
            b.merge(true)
            skipped += false
        if use.value is not None and use.needs_row:
            value = b.value(use.value, resolve(use.value.cell))
        lists = [b.env[key] for key in self.kept[use]]
        places = [self._place(xs, number) for xs in lists]

        def load() -> list[Value]:
            return [
                b.emit("list.load", place, type_)
                for place, type_ in zip(places, use.fold.kept, strict=True)
            ]

        def store(values: list[Value]) -> None:
            for place, new in zip(places, values, strict=True):
                b.emit("list.store", (*place, new))

        use.fold.update(b, value, load, store)
        b.merge(skipped + b.exits())

    def each(self, step: Callable[[], None]) -> None:
        """Run a step for every group that `having` keeps, with the values of its uses."""
        b, group = self.b, self.group

        def one(number: Value) -> None:
            key = self._element(self.fields["key"], number)
            self.keys.declare_parts(key)
            for node in self.uses.keys:
                b.links[node] = self._element(self.fields[node.name], number)
            for use, lists in self.kept.items():
                kept = [self._element(xs, number) for xs in lists]
                b.links[use.node] = use.fold.result(b, kept)
            if group.having is not None:
                keep_if(b, b.ways(group.having))
            if b.block is not None:
                step()
            for used in (*self.uses.keys, *(use.node for use in self.uses.folds)):
                b.links.pop(used, None)

        length = b.emit("list.len", (b.env[self.fields["key"]],), INT)
        count(b, b.const(0, INT), length, self.hidden.keys, one)

    def _element(self, xs: Hidden, number: Value) -> Value:
        values = self.b.env[xs]
        return element_at(self.b, values, number, self.b.emit("list.len", (values,), INT))

    def _place(self, xs: Value, number: Value) -> tuple[Value, Value]:
        length = self.b.emit("list.len", (xs,), INT)
        return xs, self.b.emit("index.known", (number, length), INT)
