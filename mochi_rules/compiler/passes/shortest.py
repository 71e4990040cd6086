"""Finds the least length of the lists in a list, in front of the loops that go through them.

`table[k][j]` asks each of the lists for its length, in a loop over k. Where j is below the least of
the lengths, the loop need not ask. It pays where the loop is inside another one that does not
change the table either: the lengths are looked at once, in front of that.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Value, effects_of
from mochi_rules.compiler.ir.types import INT
from mochi_rules.compiler.passes.memory_state import read_places, writes_of

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Block
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.memory_state import Place


class Shortest:
    """The least lengths that the loops of one function need, each computed once."""

    def __init__(self, facts: Facts, context: Context) -> None:
        self._facts = facts
        self._context = context

    @cached_property
    def _written(self) -> dict[Block, set[Place]]:
        """The places that each loop writes."""
        flow = self._facts.flow
        writes = writes_of(flow, self._context.effects)
        return {
            header: set().union(*(writes[block] for block in body))
            for header, body in flow.loops.items()
        }

    def of(self, length: Value, header: Block) -> Value | None:
        """Return what is at most the length of each element of a list, of all that a loop visits.

        None where `length` is not that of an element, or no loop around this one has a place in
        front of it.
        """
        load = length.args[0] if length.op == "list.len" else length
        if load.op != "list.load":
            return None
        entry = self._place(load, header)
        if entry is None:
            return None
        table = load.args[0]
        for value in entry.code:
            if value.op == "list.shortest" and value.args == (table,):
                return value
        found = Value("list.shortest", (table,), INT)
        entry.code.append(found)
        self._facts.homes[found] = entry
        return found

    def _place(self, load: Value, header: Block) -> Block | None:
        """Return what only leads to the outermost loop around another that keeps the loads."""
        reads = set(read_places(load, effects_of(load)))
        for outer, body in self._facts.flow.loops.items():
            if outer is header or header not in body or self._facts.homes[load.args[0]] in body:
                continue
            entry = self._facts.flow.entry_of(outer)
            if entry is not None and reads.isdisjoint(self._written[outer]):
                return entry
        return None
