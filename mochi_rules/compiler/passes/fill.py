"""Makes a list longer once, before a loop that appends a number to it in every iteration.

Where the list is not shared and has room for all that the loop will append, a copy of the loop
stores into it: it reads no length, capacity or count of references, and writes no length. Nobody
sees the elements that are not stored yet: the loop does nothing else with the list, and only
ends by its count, or with the program.

Requires that no references are counted yet, and room, by `reserve`. Gives two loops for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.function import Jump, Value
from mochi_rules.compiler.ir.types import INT, VOID
from mochi_rules.compiler.passes.counter import counter_of, guard_of
from mochi_rules.compiler.passes.loop_copies import Condition, Loop, copy_loops, find_loop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Block, Function
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.counter import Counter

_SIZE = 100  # instructions of a loop


@dataclass(frozen=True, slots=True)
class _Filling:
    """A loop, and the parameters of it, by number, that are lists that it appends to."""

    loop: Loop
    counter: Counter
    appends: dict[int, Value]


def fill(function: Function, context: Context) -> None:
    """Copy the innermost loops of a function that append numbers."""
    facts = context.facts(function)
    found = [filling for header in facts.flow.loops if (filling := _filling(facts, header))]
    if not found:
        return
    longer = [_Longer(filling, facts.homes) for filling in found]
    versions = [(one.loop, one.conditions) for one in longer]
    places = copy_loops(function, facts, versions)
    for one, place in zip(longer, places, strict=True):
        one.store(place)
    facts.forget_flow()


def _filling(facts: Facts, header: Block) -> _Filling | None:
    body = facts.flow.loops[header]
    guard = guard_of(header, body, facts.homes)
    if guard is None or len(body & facts.flow.headers) > 1 or _size(body) > _SIZE:
        return None
    counter = counter_of(header, guard, body, facts.flow)
    latches = [block for block in facts.flow.predecessors[header] if block in body]
    if counter is None or counter.step != 1 or len(latches) != 1 or _never_runs(counter):
        return None
    loop = find_loop(facts, header)
    appends = _appends(facts, loop, latches[0]) if loop and len(loop.results) == 1 else {}
    return _Filling(loop, counter, appends) if loop and appends else None


def _has_constants(counter: Counter) -> bool:
    return counter.first.op == counter.limit.op == "const"


def _never_runs(counter: Counter) -> bool:
    return _has_constants(counter) and counter.first.attr > counter.limit.attr


def _size(blocks: set[Block]) -> int:
    return sum(len(block.code) for block in blocks)


def _appends(facts: Facts, loop: Loop, latch: Block) -> dict[int, Value]:
    """Return what appends a number to a parameter that the loop does not use otherwise."""
    begin, again = loop.entry.end, latch.end
    assert isinstance(begin, Jump)
    assert isinstance(again, Jump)
    found = {}
    for number, (param, append) in enumerate(zip(loop.header.params, again.args, strict=True)):
        xs = begin.args[number]
        if append.op != "list.append" or append.args[0] is not param or xs.op != "list.reserve":
            continue
        inside = [user for user in facts.uses[param] if _place(facts, user) in loop.body]
        is_alone = (inside, facts.uses[append], facts.uses[xs]) == ([append], [latch], [loop.entry])
        every_turn = facts.flow.dominates(facts.homes[append], latch)
        if is_alone and every_turn and not append.args[1].type.is_counted:
            found[number] = append
    return found


def _place(facts: Facts, user: Value | Block) -> Block:
    return facts.homes[user] if isinstance(user, Value) else user


class _Longer:
    """What one loop needs, in front of it and inside."""

    def __init__(self, filling: _Filling, homes: Mapping[Value, Block]) -> None:
        self.loop = filling.loop
        self.counter = filling.counter
        self.appends = filling.appends
        self.homes = homes
        code = self.loop.entry.code
        self.count = self._count(code)
        self.conditions = [Condition(Condition.ZERO, self.count, -1)]
        if not _has_constants(self.counter):  # else the difference may wrap around to a count
            self.conditions.append(Condition(self.counter.first, self.counter.limit, 0))
        self.lengths: dict[int, Value] = {}
        assert isinstance(self.loop.entry.end, Jump)
        self.begin = self.loop.entry.end
        for number in self.appends:
            xs = self.begin.args[number]
            room = Value("list.room", (xs,), INT)
            self.lengths[number] = Value("list.len", (xs,), INT)
            code += [room, self.lengths[number]]
            self.conditions.append(Condition(self.count, room, 0))

    def _count(self, code: list[Value]) -> Value:
        """Count the iterations; where they are too many for an int, the result is below 1."""
        limit = self.counter.limit
        if limit.op == "const":
            limit = Value("const", (), INT, limit.attr)
            code.append(limit)
        count = Value("sub", (limit, self.counter.first), INT)
        code.append(count)
        if self.counter.is_inclusive:
            one = Value("const", (), INT, 1)
            count = Value("add", (count, one), INT)
            code += [one, count]
        return count

    def store(self, place: Block) -> None:
        """Store in place of appending, in the loop that a block leads to."""
        for number, append in self.appends.items():
            xs = self.begin.args[number]
            longer = Value("list.extend", (xs, self.count), xs.type)
            length = Value("list.len", (longer,), INT)
            offset = Value("sub", (self.lengths[number], self.counter.first), INT)
            place.code += [longer, length, offset]
            self.begin.args[number] = longer
            self._replace(append, self.loop.header.params[number], (offset, length))

    def _replace(self, append: Value, xs: Value, ends: tuple[Value, Value]) -> None:
        offset, length = ends
        code = self.homes[append].code
        index = Value("add", (offset, self.counter.param), INT)
        known = Value("index.known", (index, length), INT)
        stored = Value("list.store", (xs, known, append.args[1]), VOID)
        at = code.index(append)
        code[at : at + 1] = [index, known, stored]
        for block in self.loop.blocks:
            if isinstance(block.end, Jump):
                block.end.args = [xs if arg is append else arg for arg in block.end.args]
