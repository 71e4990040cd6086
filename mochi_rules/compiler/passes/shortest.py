"""Finds the least length of the lists in a list, in front of the loops that go through them.

`table[k][j]` asks each of the lists for its length, in a loop over k. Where j is below the least of
the lengths, the loop need not ask. It pays where the loop is inside another one that does not
change the table either: the lengths are looked at once, in front of that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Jump, Value, effects_of
from mochi_rules.compiler.ir.types import INT
from mochi_rules.compiler.passes.memory_state import read_places, written_places

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Block
    from mochi_rules.compiler.passes.context import Context


def shortest_of(length: Value, header: Block, facts: Facts, context: Context) -> Value | None:
    """Return what is not above the length of an element of a list, of all that a loop looks at.

    None where the length is another one, or there is no place in front of a loop around this one.
    """
    load = length.args[0] if length.op == "list.len" else length
    if load.op != "list.load":
        return None
    entry = _place(load, header, facts, context)
    if entry is None:
        return None
    table = load.args[0]
    for value in entry.code:
        if value.op == "list.shortest" and value.args == (table,):
            return value
    found = Value("list.shortest", (table,), INT)
    entry.code.append(found)
    facts.homes[found] = entry
    return found


def _place(load: Value, header: Block, facts: Facts, context: Context) -> Block | None:
    """Return what only leads to the outermost loop around another where the loads are the same."""
    flow = facts.flow
    reads = set(read_places(load, effects_of(load)))
    for outer, body in flow.loops.items():
        if outer is header or header not in body or facts.homes[load.args[0]] in body:
            continue
        code = (value for block in body for value in block.code)
        if any(not reads.isdisjoint(written_places(v, context.effects(v))) for v in code):
            continue
        [*ways] = (source for source in flow.predecessors[outer] if source not in body)
        if len(ways) == 1 and isinstance(ways[0].end, Jump):
            return ways[0]
    return None
