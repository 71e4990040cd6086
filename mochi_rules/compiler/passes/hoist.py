"""Moves loop-invariant instructions in front of the loop.

Lengths, loads and arithmetic go where nothing in the loop writes what they read; they cannot
stop the program, so they may run in vain. A check moves only if the first iteration reaches it
before anything observable: before output, and before a check that stays. What control
flow says of an index goes where it says so already.

Requires that no references are counted yet: what moves lives as long as it is used. Gains most
after `ranges`, which leaves fewer checks.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Block, Branch, Jump, Value, effects_of
from mochi_rules.compiler.ir.ops import CONSTANTS, OUTSIDE
from mochi_rules.compiler.ir.types import INT
from mochi_rules.compiler.passes.bounds import Bounds
from mochi_rules.compiler.passes.known import END
from mochi_rules.compiler.passes.memory_state import read_places, writes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Function
    from mochi_rules.compiler.ir.ops import Effects
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.memory_state import Place

_SAME_EVERYWHERE = CONSTANTS - {"null"}
# Loads whose arguments are enough to know that they may run; others rely on a branch before.
_LOADS = frozenset({
    "list.len", "list.load", "string.len", "map.len", "field.load", "cell.load", "global.load",
    "closure.load",
})  # fmt: skip


def hoist(function: Function, context: Context) -> None:
    """Move invariant instructions of a function out of its loops, inner loops first."""
    facts = context.facts(function)
    flow = facts.flow
    if not flow.headers:
        return
    bounds = cache(lambda: Bounds(facts))  # few functions need it
    writes = writes_of(flow, context.effects)
    for head in reversed(flow.loops):
        entry = flow.entry_of(head)
        if entry is not None:
            _Loop(facts, head, entry, writes, bounds).hoist()
    facts.forget_uses()


class _Loop:
    def __init__(
        self, facts: Facts, head: Block, entry: Block, writes: dict[Block, set[Place]],
        bounds: Callable[[], Bounds],
    ) -> None:  # fmt: skip
        self.bounds = bounds
        self.flow = flow = facts.flow
        self.head = head
        self.entry = entry
        self.blocks = flow.loops[head]
        self.homes = facts.homes
        self.written = set().union(*(writes[block] for block in self.blocks))

    def hoist(self) -> None:
        """Move what can be moved, in order."""
        is_quiet = True  # nothing observable stays before it
        seen: list[Block] = []
        for block in self.flow.in_order(self.blocks):
            seen.append(block)
            kept = []
            for value in block.code:
                effects = effects_of(value)
                if self._can_go(value, effects) and (
                    not effects.traps or (is_quiet and self._first_round.issuperset(seen))
                ):
                    self._move(value)
                else:
                    kept.append(value)
                    is_quiet = is_quiet and not (effects.traps or effects.writes & OUTSIDE)
            block.code = kept

    @cached_property
    def _first_round(self) -> set[Block]:
        """Return the blocks that certainly run, in a row, once the loop is entered."""
        found: set[Block] = set()
        block: Block | None = self.head
        while block in self.blocks - found:
            assert block is not None
            if found and len(self.flow.predecessors[block]) > 1:
                break
            found.add(block)
            match block.end:
                case Jump(target=target):
                    block = target
                case Branch(condition=condition, then=then) if self._holds_at_first(condition):
                    block = then
                case _:
                    break
        return found

    def _holds_at_first(self, condition: Value) -> bool:
        """Whether a comparison certainly holds in the first iteration."""
        if condition.op != "lt" or condition.args[0].type is not INT:
            return False
        begin = self.entry.end
        assert isinstance(begin, Jump)
        firsts = dict(zip(self.head.params, begin.args, strict=True))
        low, high = (firsts.get(arg, arg) for arg in condition.args)
        if low.op == high.op == "const":
            return bool(low.attr < high.attr)
        is_before = all(self._stays(arg) for arg in (low, high))
        return is_before and self.bounds().is_below(low, high, (self.entry, END))

    def _can_go(self, value: Value, effects: Effects) -> bool:
        """Whether a value is the same before the loop; it may stop the program there."""
        if not effects.is_movable or value.op in CONSTANTS or not value.has_result:
            return False
        if not all(map(self._stays, value.args)):
            return False
        if effects.pinned:
            return value.op == "index.known" and self._is_known_before(value)
        is_allowed = (
            effects.traps
            or value.op in _LOADS
            or (bool(value.args) and not effects.reads and not effects.needs)
        )
        return is_allowed and self.written.isdisjoint(read_places(value, effects))

    def _is_known_before(self, value: Value) -> bool:
        index, length = value.args
        place = (self.entry, END)
        bounds = self.bounds()
        return bounds.least(index, place) >= 0 and bounds.is_below(index, length, place)

    def _stays(self, value: Value) -> bool:
        """Whether a value is the same in all iterations; null may stand for unreachable code."""
        return self.homes[value] not in self.blocks or value.op in _SAME_EVERYWHERE

    def _move(self, value: Value) -> None:
        args = []
        for arg in value.args:
            if self.homes[arg] in self.blocks:  # a constant: it costs nothing to have it twice
                arg = Value(arg.op, (), arg.type, arg.attr, arg.site, arg.name)  # noqa: PLW2901
                self._append(arg)
            args.append(arg)
        value.args = tuple(args)
        self._append(value)

    def _append(self, value: Value) -> None:
        self.entry.code.append(value)
        self.homes[value] = self.entry
