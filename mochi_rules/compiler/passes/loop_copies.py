"""Copies loops: branches before a loop and its copy decide which of them runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.ir.clone import copy_blocks
from mochi_rules.compiler.ir.function import Block, Branch, Jump, Value, int_constant, renewed
from mochi_rules.compiler.ir.types import BOOL, INT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Function


@dataclass(frozen=True, slots=True)
class Condition:
    """low ≤ high + change, of values that are known in front of a loop."""

    ZERO: ClassVar[Value] = int_constant(0)

    low: Value
    high: Value
    change: int

    @property
    def is_possible(self) -> bool:
        """Whether what it compares with is an int; a constant may be too near the ends of them."""
        return -(1 << 63) <= self._bound < 1 << 63

    @property
    def _bound(self) -> int:
        """The number that the value which is not a constant is compared with."""
        bound = 0
        if self.low.op == "const":
            bound = self.low.attr - self.change
        elif self.high.op == "const":
            bound = self.high.attr + self.change
        return bound

    def code(self) -> list[Value]:
        """Return the instructions that compare; the last one is the condition."""
        low, high, change = self.low, self.high, self.change
        if low.op == "const":
            return _compare("ge", high, self._bound)
        if high.op == "const":
            return _compare("le", low, self._bound)
        if change == 0:
            return [Value("le", (low, high), BOOL)]
        by = int_constant(change)
        shifted = Value("add", (high, by), INT)
        return [by, shifted, Value("le", (low, shifted), BOOL)]


def _compare(op: str, value: Value, number: int) -> list[Value]:
    limit = int_constant(number)
    return [limit, Value(op, (value, limit), BOOL)]


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop with one way in, a block that only leads there.

    `results` are the values of the loop that are used after each of its exits.
    """

    header: Block
    entry: Block
    body: set[Block]
    blocks: list[Block]  # of the body, in order
    results: dict[Block, list[Value]] = field(default_factory=dict)


def find_loop(facts: Facts, header: Block) -> Loop | None:
    """Return a loop by its first block, where it can be copied.

    Every use of a value of the loop outside of it must be dominated by one of its exits.
    """
    flow = facts.flow
    body = flow.loops[header]
    entry = flow.entry_of(header)
    if entry is None:
        return None
    blocks = flow.in_order(body)
    ends = [target for block in blocks for target in block.targets if target not in body]
    results: dict[Block, dict[Value, None]] = {end: {} for end in ends}
    for value in (value for block in blocks for value in (*block.params, *block.code)):
        for user in facts.uses.get(value, ()):
            place = facts.home_of(user)
            if place not in body:
                end = next((end for end in ends if flow.dominates(end, place)), None)
                if end is None:
                    return None
                results[end][value] = None
    found = {end: list(values) for end, values in results.items()}
    return Loop(header, entry, body, blocks, found)


def copy_loops(
    function: Function, facts: Facts, versions: Sequence[tuple[Loop, Sequence[Condition]]]
) -> list[Block]:
    """Run each loop where its conditions hold, and a copy of it where they do not.

    Return for each the block after all its conditions, which leads to the loop.
    """
    copies = _Copies(function, facts)
    places = [copies.add(loop, conditions) for loop, conditions in versions]
    copies.rename()
    return places


class _Copies:
    def __init__(self, function: Function, facts: Facts) -> None:
        self.function = function
        self.flow = facts.flow
        self.behind: dict[Value, list[tuple[Block, Value]]] = {}  # what stands for a result
        self.inside: dict[Value, set[Block]] = {}  # where a result is what it was
        self.origins: dict[Block, Block] = {}  # of new blocks

    def add(self, loop: Loop, conditions: Iterable[Condition]) -> Block:
        """Copy a loop; return the block that leads to it alone."""
        ends = [self._leave(loop, source) for source in loop.blocks]
        new = [end for end in ends if end is not None]
        inside = {*loop.body, *new}
        for values in loop.results.values():
            self.inside.update(dict.fromkeys(values, inside))
        copies = copy_blocks([*loop.blocks, *new], {})
        self._place([*new, *copies.values()], loop.header)
        return self._choose(loop, conditions, copies[loop.header])

    def _leave(self, loop: Loop, source: Block) -> Block | None:
        """Put a block on the edge out of a loop, if there is one, that passes the results on."""
        for target in source.targets:
            if target in loop.results:
                values = loop.results[target]
                target.params = renewed(values)
                for value, param in zip(values, target.params, strict=True):
                    self.behind.setdefault(value, []).append((target, param))
                edge = Block()
                edge.end = Jump(target, list(values))
                assert isinstance(source.end, Branch)
                if source.end.then is target:
                    source.end.then = edge
                else:
                    source.end.otherwise = edge
                return edge
        return None

    def _choose(self, loop: Loop, conditions: Iterable[Condition], other: Block) -> Block:
        """Branch to one of two loops; return the block that leads to the first."""
        place, begin = loop.entry, loop.entry.end
        assert isinstance(begin, Jump)
        new = []
        for condition in conditions:
            place.code += condition.code()
            holds, fails = Block(), Block()
            fails.end = Jump(other, list(begin.args))
            place.end = Branch(place.code[-1], holds, fails, likely=True)
            place = holds
            new += [holds, fails]
        place.end = begin
        self._place(new, loop.entry)
        return place

    def _place(self, blocks: list[Block], origin: Block) -> None:
        self.function.blocks += blocks
        self.origins.update(dict.fromkeys(blocks, self.origins.get(origin, origin)))

    def rename(self) -> None:
        """Rename the results of the loops in what follows them."""
        for block in self.function.blocks:
            block.rename_operands(self.inside, partial(self._name, block))

    def _name(self, block: Block, value: Value) -> Value:
        if value not in self.inside or block in self.inside[value]:
            return value
        place = self.origins.get(block, block)
        return next(
            param for end, param in self.behind[value] if self.flow.dominates(end, place)
        )  # fmt: skip
