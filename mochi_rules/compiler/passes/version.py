"""Runs loops without the checks that a few comparisons in front of them make needless.

The checks of a loop that counts mostly rest on values from outside: on how far it counts, on
lengths, on what is added. Where these are in range, a copy of the loop runs that does not check;
else the loop as it was. Only innermost loops of moderate size have copies.

Requires lengths in front of the loops, by `hoist`. Gives two loops for one, and in front of them
branches on what the checks of one rest on, which it has no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.ir.types import INT
from mochi_rules.compiler.passes.bounds import Bounds
from mochi_rules.compiler.passes.counter import guard_of
from mochi_rules.compiler.passes.known import END
from mochi_rules.compiler.passes.loop_copies import (
    Condition,
    Loop,
    copy_loops,
    find_loop,
)
from mochi_rules.compiler.passes.ranges import RULES
from mochi_rules.compiler.passes.shortest import Shortest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Function, Value
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.counter import Counter, Guard
    from mochi_rules.compiler.passes.known import Place

    _Form = tuple[str, tuple[int, ...], Any]  # operation, order of the arguments, attribute
    _End = tuple[Value | None, int]  # a value, and how far off

_SIZE = 100  # instructions of a loop
_CONDITIONS = 8  # in front of one
_FEW = 8  # iterations for which it does not pay
_NARROW = 2**30  # products of sums of two such values are ints
_WIDE = 2**61  # what sums may begin with
_DEEPEST = 12  # operations that are looked through

_CHECKS = frozenset({
    "check.index", "check.upper", "check.nonzero", "add.checked", "sub.checked", "mul.checked",
    "div.checked",
})  # fmt: skip
_SAME = frozenset({"check.upper", "index.known", "nonzero.known"})
_STEPS = {"add": 1, "add.checked": 1, "sub": -1, "sub.checked": -1}


def version_loops(function: Function, context: Context) -> None:
    """Make copies of the innermost loops of a function that need fewer checks."""
    facts = context.facts(function)
    loops = list(_candidates(facts))
    if not loops:
        return
    bounds = Bounds(facts)
    shortest = Shortest(facts, context)
    proofs = [_Proof(bounds, facts, loop, guard, shortest) for loop, guard in loops]
    proofs = [proof for proof in proofs if proof.run()]
    if proofs:
        copy_loops(function, facts, [(proof.loop, proof.conditions) for proof in proofs])
        for proof in proofs:
            proof.simplify()
        facts.forget_flow()


def _candidates(facts: Facts) -> Iterator[tuple[Loop, Guard]]:
    flow = facts.flow
    for header, body in flow.innermost.items():
        guard = guard_of(header, body, facts.homes)
        code = [value for block in body for value in block.code] if guard else []
        if guard and len(code) <= _SIZE and any(value.op in _CHECKS for value in code):
            loop = find_loop(facts, header)
            if loop is not None and loop.entry not in facts.flow.unlikely:
                yield loop, guard


class _Proof:
    """Finds conditions in front of one loop that spare it checks."""

    def __init__(
        self, bounds: Bounds, facts: Facts, loop: Loop, guard: Guard, shortest: Shortest
    ) -> None:  # fmt: skip
        self.bounds = bounds
        self.shortest = shortest
        self.facts = facts
        self.loop = loop
        self.guard = guard
        self.counter = bounds.counter(loop.header)
        self.place: Place = (loop.entry, END - 1)
        self.conditions: list[Condition] = []
        self.simpler: list[tuple[Value, _Form]] = []  # operations, and what becomes of them

    def run(self) -> bool:
        """Find the conditions, if there are any, and what the loop is under them."""
        if self._is_short():
            return False
        for block in self.loop.blocks:
            for position, value in enumerate(block.code):
                if value.op in _CHECKS:
                    self._try(value, (block, position))
        if self.conditions:
            self._find_simpler()
        for condition in reversed(self.conditions):
            self.bounds.withdraw(condition.low, condition.high)
        return bool(self.conditions)

    def _find_simpler(self) -> None:
        """Find what becomes of the operations of the loop under its conditions."""
        before = []
        for block in self.loop.blocks:
            for position, value in enumerate(block.code):
                if value.op in RULES:
                    before.append((value, value.op, value.args, value.attr))
                    RULES[value.op](self.bounds, value, (block, position))
        for value, *form in before:
            places = tuple(map(form[1].index, value.args))
            self.simpler.append((value, (value.op, places, value.attr)))
            value.op, value.args, value.attr = form

    def simplify(self) -> None:
        """Simplify the operations of the loop; their arguments may have other names now."""
        for value, (op, places, attr) in self.simpler:
            value.op, value.attr = op, attr
            value.args = tuple(value.args[place] for place in places)

    def _is_short(self) -> bool:
        """Whether the loop certainly has few iterations."""
        if self.counter is None:
            return False
        here = (self.loop.entry, END)
        low, high = _span(self.counter)
        if high.op in ("add", "add.checked") and high.args[0] is low and high.args[1].op == "const":
            return bool(high.args[1].attr <= _FEW)
        return self.bounds.most(high, here) - self.bounds.least(low, here) <= _FEW

    def _try(self, value: Value, place: Place) -> None:
        """Keep what a check needs, where that is enough."""
        wanted: list[Condition] = []
        for condition in self._wanted(value):
            if condition not in (*wanted, *self.conditions) and not self._is_known(condition):
                wanted.append(condition)
        if not all(condition.is_possible for condition in wanted):
            return
        for condition in wanted:
            self.bounds.suppose(self.place, condition.low, condition.high, condition.change)
        before = value.op, value.args, value.attr
        RULES[value.op](self.bounds, value, place)
        is_needless = value.op not in _CHECKS
        value.op, value.args, value.attr = before
        if is_needless and len(self.conditions) + len(wanted) <= _CONDITIONS:
            self.conditions += wanted
        else:
            for condition in reversed(wanted):
                self.bounds.withdraw(condition.low, condition.high)

    def _is_known(self, condition: Condition) -> bool:
        here = (self.loop.entry, END)
        most = self.bounds.most(condition.low, here)
        return most <= self.bounds.least(condition.high, here) + condition.change

    # What checks need

    def _wanted(self, value: Value) -> Iterator[Condition]:
        match value.op:
            case "check.index" | "check.upper":
                yield from self._index(*value.args)
            case "check.nonzero":
                if value.type is INT and self._is_outside(value.args[0]):
                    yield Condition(Condition.ZERO, value.args[0], -1)
            case _:
                for arg in value.args:
                    yield from self._range(arg, set(), _DEEPEST)

    def _index(self, index: Value, length: Value) -> Iterator[Condition]:
        """Return that an index is below a length, and that it is not below 0."""
        base, offset = index, 0
        while base.op in _SAME or (base.op in _STEPS and base.args[1].op == "const"):
            if base.op in _STEPS:
                offset += _STEPS[base.op] * base.args[1].attr
            base = base.args[0]
        ends = self._ends(base)
        # Near the ends of int, the conditions themselves would wrap around.
        if ends is None or abs(offset) > _NARROW:
            return
        room: Value | None = length
        if not self._is_outside(length):
            room = self.shortest.of(length, self.loop.header)
        if room is not None:
            (low, above), (high, below) = ends
            if high is not None:
                yield Condition(high, room, below - 1 - offset)
            if low is not None:
                yield Condition(Condition.ZERO, low, above + offset)

    def _ends(self, value: Value) -> tuple[_End, _End] | None:
        """Return the least and the largest that a value is, each from outside and how far off."""
        if self._is_outside(value):
            return (value, 0), (value, 0)
        if value is not self.guard.param:
            return None
        first = self.counter.first if self.counter else None
        limit = self.guard.limit, int(not self.guard.is_inclusive)
        return ((first, 0), limit) if self.guard.is_upper else (limit, (first, 0))

    def _range(self, value: Value, seen: set[Value], depth: int) -> Iterator[Condition]:
        """Return that what a value is made of is not large."""
        if value in seen or not depth or value.type is not INT:
            return
        seen.add(value)
        if self._is_outside(value):
            yield from _between(value, _NARROW)
        elif self.counter and value is self.counter.param:
            yield from _counted(self.counter)
        elif value.op == "param":
            for arg, block in self.bounds.args[value]:
                if block is self.loop.entry:
                    yield from _between(arg, _WIDE)
                else:
                    yield from self._range(arg, seen, depth - 1)
            yield from self._range(self.guard.param, seen, depth)
        else:
            for arg in value.args:
                yield from self._range(arg, seen, depth - 1)

    def _is_outside(self, value: Value) -> bool:
        return value.op == "const" or self.facts.homes[value] not in self.loop.body


def _span(counter: Counter) -> tuple[Value, Value]:
    """Return from what a counter is to what, the lower one first."""
    ends = counter.first, counter.limit
    return ends if counter.step > 0 else ends[::-1]


def _counted(counter: Counter) -> Iterator[Condition]:
    """Return that a counter does not go far."""
    low, high = _span(counter)
    if high.op != "const":
        yield Condition(high, Condition.ZERO, _NARROW)
    if low.op != "const":
        yield Condition(Condition.ZERO, low, _NARROW)


def _between(value: Value, bound: int) -> Iterator[Condition]:
    if value.op != "const":
        yield Condition(value, Condition.ZERO, bound)
        yield Condition(Condition.ZERO, value, bound)
