"""Moves loop-invariant instructions in front of the loop.

Lengths, loads and arithmetic go where nothing in the loop writes what they read; they cannot
stop the program, so they may run in vain. A check moves only if the first iteration reaches it
before anything observable: before output, and before a check that stays. What control
flow says of an index goes where it says so already.

Requires that no references are counted yet: what moves lives as long as it is used. Gains most
after `ranges`, which leaves fewer checks.
"""

from __future__ import annotations

from functools import cache
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
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.memory_state import Place

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
        first = self._first_round()
        comes_first = True  # nothing observable stays before it, in the first iteration
        for block in self.flow.in_order(self.blocks):
            comes_first = comes_first and block in first
            kept = []
            for value in block.code:
                if self._can_go(value, comes_first=comes_first):
                    self._move(value)
                    continue
                kept.append(value)
                if comes_first:
                    effects = effects_of(value)
                    comes_first = not (effects.traps or effects.writes & OUTSIDE)
            block.code = kept

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

    def _can_go(self, value: Value, *, comes_first: bool) -> bool:
        if value.op in CONSTANTS or not value.has_result or not all(map(self._stays, value.args)):
            return False
        effects = effects_of(value)
        if not effects.is_movable:
            return False
        if effects.pinned:
            return value.op == "index.known" and self._is_known_before(value)
        if effects.traps:
            is_allowed = comes_first
        else:
            is_allowed = value.op in _LOADS or (
                bool(value.args) and not effects.reads and not effects.needs
            )
        return is_allowed and self.written.isdisjoint(read_places(value, effects))

    def _is_known_before(self, value: Value) -> bool:
        index, length = value.args
        place = (self.entry, END)
        bounds = self.bounds()
        return bounds.least(index, place) >= 0 and bounds.is_below(index, length, place)

    def _stays(self, value: Value) -> bool:
        """Whether a value is the same in all iterations; null may stand for unreachable code."""
        return self.homes[value] not in self.blocks or value.op in CONSTANTS - {"null"}

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
