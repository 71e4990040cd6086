"""Makes a list or a string longer once, before a loop that appends to it in every iteration.

Where it is not shared and has room for all that the loop will append, a copy of the loop stores
into it: it reads no length, capacity or count of references, and writes no length. Nobody sees
what is not stored yet: the loop does nothing else with the list or the string, and only ends by
its count, or with the program. Lists of numbers are filled, and strings with a constant.

Requires that no references are counted yet, and room, by `reserve`. Gives two loops for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.function import Jump, Value, int_constant
from mochi_rules.compiler.ir.types import INT, STRING, VOID
from mochi_rules.compiler.passes.counter import counter_of, guard_of
from mochi_rules.compiler.passes.loop_copies import Condition, Loop, copy_loops, find_loop
from mochi_rules.compiler.passes.reserve import RESERVES, piece_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Block, Function
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.counter import Counter

_SIZE = 100  # instructions of a loop
_PIECE = 8  # bytes of a constant that one store puts


@dataclass(frozen=True, slots=True)
class _Filling:
    """A loop, and the parameters of it, by number, that it appends to."""

    loop: Loop
    counter: Counter
    appends: dict[int, Value]


def fill(function: Function, context: Context) -> None:
    """Copy the innermost loops of a function that append in every iteration."""
    facts = context.facts(function)
    found = [filling for header in facts.flow.innermost if (filling := _filling(facts, header))]
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
    if guard is None or _size(body) > _SIZE:
        return None
    latches = [block for block in facts.flow.predecessors[header] if block in body]
    if len(latches) != 1 or not any(arg.op in RESERVES for arg in latches[0].end_operands):
        return None
    counter = counter_of(header, guard, body, facts.flow)
    if counter is None or counter.step != 1 or _never_runs(counter):
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
    """Return what appends to a parameter that the loop does not use otherwise."""
    begin, again = loop.entry.end, latch.end
    assert isinstance(begin, Jump)
    assert isinstance(again, Jump)
    found = {}
    for number, (param, append) in enumerate(zip(loop.header.params, again.args, strict=True)):
        xs = begin.args[number]
        if xs.op != RESERVES.get(append.op) or append.args[0] is not param:
            continue
        inside = [user for user in facts.uses[param] if facts.home_of(user) in loop.body]
        is_alone = (inside, facts.uses[append], facts.uses[xs]) == ([append], [latch], [loop.entry])
        every_turn = facts.flow.dominates(facts.homes[append], latch)
        if is_alone and every_turn and _can_be_stored(append):
            found[number] = append
    return found


def _can_be_stored(append: Value) -> bool:
    if append.op == "list.append":
        return not append.args[1].type.is_counted
    return 0 < len(piece_of(append)) <= _PIECE


class _Longer:
    """What one loop needs, in front of it and inside."""

    def __init__(self, filling: _Filling, homes: Mapping[Value, Block]) -> None:
        self.loop = filling.loop
        self.counter = filling.counter
        self.appends = filling.appends
        self.homes = homes
        self.code = self.loop.entry.code
        self.count = self._count()
        self.conditions = [Condition(Condition.ZERO, self.count, -1)]
        if not _has_constants(self.counter):  # else the difference may wrap around to a count
            self.conditions.append(Condition(self.counter.first, self.counter.limit, 0))
        assert isinstance(self.loop.entry.end, Jump)
        self.begin = self.loop.entry.end
        self.fills = {
            number: _FILLS[append.op](self.begin.args[number], append, self.count)
            for number, append in self.appends.items()
        }
        for one in self.fills.values():
            self.code += one.before
            self.conditions.append(Condition(self.count, one.room, 0))

    def _count(self) -> Value:
        """Count the iterations; where they are too many for an int, the result is below 1."""
        limit = self.counter.limit
        if limit.op == "const":
            limit = int_constant(limit.attr)
            self.code.append(limit)
        count = Value("sub", (limit, self.counter.first), INT)
        self.code.append(count)
        if self.counter.is_inclusive:
            one = int_constant(1)
            count = Value("add", (count, one), INT)
            self.code += [one, count]
        return count

    def store(self, place: Block) -> None:
        """Store in place of appending, in the loop that a block leads to."""
        for number, append in self.appends.items():
            one, param = self.fills[number], self.loop.header.params[number]
            place.code += one.extend(self.counter.first)
            self.begin.args[number] = one.longer
            code = self.homes[append].code
            at = code.index(append)
            code[at : at + 1] = one.store(param, self.counter.param)
            for block in self.loop.blocks:
                if isinstance(block.end, Jump):
                    block.end.args = [param if arg is append else arg for arg in block.end.args]


class _ListFill:
    """How a list is filled with what is appended to it."""

    def __init__(self, xs: Value, append: Value, count: Value) -> None:
        self.item = append.args[1]
        self.room = Value("list.room", (xs,), INT)
        self.before = [self.room, size := Value("list.len", (xs,), INT)]
        self.size = size
        self.longer = Value("list.extend", (xs, count), xs.type)
        self.length = Value("list.len", (self.longer,), INT)

    def extend(self, first: Value) -> list[Value]:
        """Return what makes the list longer, of a counter that begins at `first`."""
        self.offset = Value("sub", (self.size, first), INT)
        return [self.longer, self.length, self.offset]

    def store(self, xs: Value, counter: Value) -> list[Value]:
        """Return what stores one item into the list."""
        index = Value("add", (self.offset, counter), INT)
        known = Value("index.known", (index, self.length), INT)
        return [index, known, Value("list.store", (xs, known, self.item), VOID)]


class _StringFill:
    """How a string is filled with the constant that is appended to it."""

    def __init__(self, text: Value, append: Value, count: Value) -> None:
        self.piece = append.args[1]
        piece = Value("string", (), STRING, self.piece.attr)
        step = int_constant(len(self.piece.attr))
        self.room = Value("string.room", (text, step), INT)
        self.size = Value("string.size", (text,), INT)
        self.before = [piece, step, self.room, self.size]
        self.longer = Value("string.extend", (text, piece, count), STRING)

    def extend(self, first: Value) -> list[Value]:
        """Return what makes the string longer, of a counter that begins at `first`."""
        step = int_constant(len(self.piece.attr))
        skipped = Value("mul", (first, step), INT)
        self.offset = Value("sub", (self.size, skipped), INT)
        return [self.longer, step, skipped, self.offset]

    def store(self, text: Value, counter: Value) -> list[Value]:
        """Return what stores one piece into the string."""
        step = int_constant(len(self.piece.attr))
        place = Value("mul", (counter, step), INT)
        at = Value("add", (self.offset, place), INT)
        return [step, place, at, Value("string.store", (text, self.piece, at), VOID)]


_FILLS: dict[str, type[_ListFill | _StringFill]] = {
    "list.append": _ListFill, "string.concat": _StringFill,
}  # fmt: skip
