"""Builds the loops of a plan, in the order of the sources; a step runs for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    INT,
    STRING,
    ListType,
    MapType,
    list_of,
)
from mochi_rules.compiler.irbuild.access import element_at
from mochi_rules.compiler.irbuild.loops import Hidden, count, iterate, walk
from mochi_rules.compiler.irbuild.queries.hash_join import HashIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.builder import Ways
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder
    from mochi_rules.compiler.irbuild.queries.hidden import HiddenVariables
    from mochi_rules.compiler.irbuild.queries.plan import Plan


def keep_if(b: FunctionBuilder, ways: Ways) -> None:
    """Continue with the next iteration of the loop unless a condition holds."""
    true, false = ways
    b.loops[-1].continues += false
    b.merge(true)


class Rows:
    """The loops of a plan under construction; `row` builds what runs for each row."""

    def __init__(
        self, builder: FunctionBuilder, plan: Plan, hidden: HiddenVariables,
        row: Callable[[], None],
    ) -> None:  # fmt: skip
        self.b = builder
        self.plan = plan
        self.hidden = hidden
        self.row = row
        self.items: dict[int, Value] = {}  # of joined sources, by their number
        self.indices: dict[int, HashIndex] = {}
        self.matched: Hidden | None = None  # which elements of a full join found a match

    def build(self) -> None:
        """Build the loops."""
        b, sources = self.b, self.plan.sources
        for number, source in enumerate(sources):
            if source.is_joined:
                self.items[number] = self._list(b.expression(source.elements))
        if self.plan.is_full:
            self._note_matches()
        first = b.expression(sources[0].elements)
        for number, source in enumerate(sources):
            if source.keys:
                self.indices[number] = HashIndex(b, source, self.items[number])
        iterate(b, first, self.hidden.keys, lambda value: self._element(0, value))
        if self.plan.is_full:
            self._unmatched()

    def _list(self, value: Value) -> Value:
        """Return the elements that a join visits as a list."""
        b = self.b
        if isinstance(value.type, ListType):
            return value
        if isinstance(value.type, MapType):
            return b.runtime("map_keys", (value,), list_of(value.type.key))
        element = ANY if value.type is not STRING else STRING
        result = Hidden("items")
        b.env[result] = b.emit("list.new", (), list_of(element))

        def step(item: Value) -> None:
            xs = b.env[result]
            b.env[result] = b.emit("list.append", (xs, b.convert(item, element)), xs.type)

        iterate(b, value, [result], step)
        return b.env.pop(result)

    # One source

    def _loop(self, number: int) -> None:
        """Build the loop of a source and all loops in it."""
        if number == len(self.plan.sources):
            self.row()
        elif self.plan.sources[number].is_joined:
            self._join(number)
        else:
            elements = self.b.expression(self.plan.sources[number].elements)
            iterate(self.b, elements, self.hidden.keys, lambda value: self._element(number, value))

    def _element(self, number: int, value: Value) -> None:
        self.b.declare(self.plan.sources[number].variable, value)
        self._filtered(number)

    def _filtered(self, number: int) -> None:
        for condition in self.plan.sources[number].filters:
            if self.b.block is None:
                return
            keep_if(self.b, self.b.ways(condition))
        if self.b.block is not None:
            self._loop(number + 1)

    def _join(self, number: int) -> None:
        b, source, items = self.b, self.plan.sources[number], self.items[number]
        keeps = source.keeps_left
        matched = self.hidden.new("matched", b.const(0, BOOL)) if keeps else None
        length = b.emit("list.len", (items,), INT)
        end = b.emit("add", (length, b.const(1, INT)), INT) if keeps else length
        index = self.indices.get(number)
        first, probes = index.find() if index else (b.const(0, INT), [])

        def step(at: Value) -> None:
            if matched is None:
                self._match(number, at, length, probes)
            else:
                self._match_or_null(number, at, length, probes, matched)
            self._filtered(number)

        if index:
            walk(b, first, end, self.hidden.keys, step, index.next)
        else:
            count(b, first, end, self.hidden.keys, step)

    def _match(self, number: int, at: Value, length: Value, probes: list[Value]) -> None:
        """Continue with the joined element if it fits, else with the next one."""
        b, source = self.b, self.plan.sources[number]
        b.declare(source.variable, element_at(b, self.items[number], at, length))
        for key, probe in enumerate(probes):
            keep_if(b, b.branch(self.indices[number].is_match(key, probe)))
        for condition in source.conditions:
            keep_if(b, b.ways(condition))

    def _match_or_null(
        self, number: int, at: Value, length: Value, probes: list[Value], matched: Hidden
    ) -> None:
        """The iteration after the last element is for null, where no element fitted."""
        b, source = self.b, self.plan.sources[number]
        is_element, is_last = b.branch(b.emit("lt", (at, length), BOOL))
        b.merge(is_element)
        self._match(number, at, length, probes)
        b.env[matched] = b.const(1, BOOL)
        if self.matched is not None:
            known = b.emit("index.known", (at, length), INT)
            b.emit("list.store", (b.env[self.matched], known, b.const(1, BOOL)))
        found = b.exits()
        b.merge(is_last)
        has_match, alone = b.branch(b.env[matched])
        b.loops[-1].continues += has_match
        b.merge(alone)
        b.declare(source.variable, b.null(resolve(source.variable.type)))
        b.merge(found + b.exits())

    # Full joins

    def _note_matches(self) -> None:
        b = self.b
        matched = self.matched = self.hidden.new_list("matched", BOOL)
        (items,) = self.items.values()
        length = b.emit("list.len", (items,), INT)
        step = lambda _: self.hidden.append(matched, b.const(0, BOOL))  # noqa: E731
        count(b, b.const(0, INT), length, self.hidden.keys, step)

    def _unmatched(self) -> None:
        """The joined elements that no row fitted come last, with null for the first source."""
        b = self.b
        first, source = self.plan.sources[0], self.plan.sources[-1]
        (items,) = self.items.values()
        assert self.matched is not None
        matched = self.matched
        length = b.emit("list.len", (items,), INT)

        def step(index: Value) -> None:
            done, alone = b.branch(element_at(b, b.env[matched], index, length))
            b.loops[-1].continues += done
            b.merge(alone)
            b.declare(first.variable, b.null(resolve(first.variable.type)))
            b.declare(source.variable, element_at(b, items, index, length))
            self._filtered(len(self.plan.sources) - 1)

        count(b, b.const(0, INT), length, self.hidden.keys, step)
