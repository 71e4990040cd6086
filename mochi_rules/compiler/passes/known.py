"""What branches and passed checks say about the ints of a function, and from where on."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.function import Block, Branch, Jump, int_constant
from mochi_rules.compiler.ir.types import INT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mochi_rules.compiler.ir.cfg import Flow
    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Value

BELOW = frozenset({"check.index", "check.upper", "index.known"})
_OPPOSITE = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}
# What a relation of a and b says: a ≤ b + change, or, reversed, b ≤ a + change.
_RELATIONS = {
    "lt": ((False, -1),), "le": ((False, 0),), "gt": ((True, -1),), "ge": ((True, 0),),
    "eq": ((False, 0), (True, 0)), "ne": (),
}  # fmt: skip
_WRAPS = {"add.wraps": "add", "mul.wraps": "mul"}
_LONGEST = int_constant(1 - 2**32)  # an index from the end is not below it
END = 1 << 30  # a position behind all instructions
_FEW = 8  # items that are looked at one by one
_JOINS = 16  # that are looked through for the values of one parameter

_T = TypeVar("_T")

Place = tuple[Block, int]


@dataclass(frozen=True, slots=True)
class Fact:
    """From some place on: sign * value ≤ sign * other + change; `other` None is zero."""

    block: Block
    position: int
    other: Value | None
    change: int


class _Placed(Generic[_T]):
    """Things that hold from some block on, found by a block that is dominated by theirs."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._items: list[tuple[Block, _T]] = []
        self._found: dict[Block, list[_T]] = {}

    def add(self, block: Block, item: _T) -> None:
        """Add what holds from a block on."""
        self._items.append((block, item))
        self._found.clear()
        self.__dict__.pop("_nested", None)

    def reaching(self, block: Block) -> list[_T]:
        """Return the items whose blocks dominate a block, in the order in which they were added."""
        found = self._found.get(block)
        if found is None:
            found = self._found[block] = self._find(block)
        return found

    def _find(self, block: Block) -> list[_T]:
        if len(self._items) > _FEW:
            return [self._items[number][1] for number in sorted(self._numbers(block))]
        dominates = self._flow.dominates
        return [item for place, item in self._items if dominates(place, block)]

    def _numbers(self, block: Block) -> Iterator[int]:
        starts, rows = self._nested
        start = self._flow.span(block)[0]
        at = bisect_right(starts, start) - 1
        while at >= 0:
            end, numbers, at = rows[at]
            if end > start:
                yield from numbers

    @cached_property
    def _nested(self) -> tuple[list[int], list[tuple[int, list[int], int]]]:
        """Where the spans of the items' blocks begin, in order, and a row for each.

        A row is where the span ends, the numbers of its items, and the row of the span around it,
        or -1: spans contain each other or have nothing in common.
        """
        by_span: dict[tuple[int, int], list[int]] = {}
        for number, (block, _) in enumerate(self._items):
            by_span.setdefault(self._flow.span(block), []).append(number)
        rows: list[tuple[int, list[int], int]] = []
        around: list[int] = []
        spans = sorted(by_span)
        for start, end in spans:
            while around and rows[around[-1]][0] <= start:
                around.pop()
            rows.append((end, by_span[start, end], around[-1] if around else -1))
            around.append(len(rows) - 1)
        return [start for start, _ in spans], rows


class _Facts:
    """The facts about one value in one direction."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._certain: _Placed[Fact] = _Placed(flow)
        self._supposed: list[Fact] = []  # few, and soon withdrawn

    def add(self, fact: Fact) -> None:
        """Add what a branch or a check says."""
        self._certain.add(fact.block, fact)

    def suppose(self, fact: Fact) -> None:
        """Add what is not certain."""
        self._supposed.append(fact)

    def withdraw(self) -> None:
        """Drop what was supposed last."""
        self._supposed.pop()

    def reaching(self, block: Block) -> list[Fact]:
        """Return the facts whose blocks dominate a block; what is certain first."""
        if not self._supposed:
            return self._certain.reaching(block)
        dominates = self._flow.dominates
        supposed = [fact for fact in self._supposed if dominates(fact.block, block)]
        return self._certain.reaching(block) + supposed


class Known:
    """What is known about the ints of a function, for both directions; see `bounds`."""

    def __init__(self, facts: Facts) -> None:
        self.flow: Flow = facts.flow
        self.homes = facts.homes
        self.positions = {
            value: number for block in self.flow.blocks for number, value in enumerate(block.code)
        }  # fmt: skip
        self.known: dict[int, dict[Value, _Facts]] = {1: {}, -1: {}}
        self.nonzero: dict[Value, list[Place]] = {}
        self.args: dict[Value, list[tuple[Value, Block]]] = {}  # of parameters, and from where
        self.lengths: dict[Value, _Placed[Value]] = {}  # of lists
        self._earlier: dict[Value, list[Value]] = {}
        self.fitting: dict[tuple[str, frozenset[Value]], list[Place]] = {}  # by `wraps`, they fit
        for block in self.flow.blocks:
            self._learn(block)

    def _learn(self, block: Block) -> None:
        for position, value in enumerate(block.code):
            if value.op in BELOW:
                index, length = value.args
                self.below((block, position), index, length, -1)
                if value.op == "check.index":
                    self.below((block, position), _LONGEST, index, 0)
            elif value.op == "list.len":
                self.lengths.setdefault(value.args[0], _Placed(self.flow)).add(block, value)
            elif value.op == "check.nonzero":
                self.nonzero.setdefault(value.args[0], []).append((block, position))
        match block.end:
            case Jump(target=target, args=args):
                for param, arg in zip(target.params, args, strict=True):
                    self.args.setdefault(param, []).append((arg, block))
            case Branch() as branch:
                self._learn_condition(branch.condition, branch.then, holds=True)
                self._learn_condition(branch.condition, branch.otherwise, holds=False)

    def _learn_condition(self, condition: Value, block: Block, *, holds: bool) -> None:
        while condition.op == "not":
            condition, holds = condition.args[0], not holds
        place = (block, -1)
        if condition.op in _WRAPS and not holds:
            fits = _WRAPS[condition.op], frozenset(condition.args)
            self.fitting.setdefault(fits, []).append(place)
        if condition.op not in _OPPOSITE or condition.args[0].type is not INT:
            return
        a, b = condition.args
        relation = condition.op if holds else _OPPOSITE[condition.op]
        for is_reversed, change in _RELATIONS[relation]:
            self.below(place, *((b, a) if is_reversed else (a, b)), change)
        if relation == "ne":
            for one, other in ((a, b), (b, a)):
                if other.op == "const" and other.attr == 0:
                    self.nonzero.setdefault(one, []).append(place)

    def below(self, place: Place, a: Value, b: Value, change: int) -> None:
        """Note that a ≤ b + change."""
        for facts, fact in self._both(place, a, b, change):
            facts.add(fact)

    def suppose(self, place: Place, a: Value, b: Value, change: int) -> None:
        """Take it from now on that a ≤ b + change from a place on."""
        for facts, fact in self._both(place, a, b, change):
            facts.suppose(fact)

    def withdraw(self, a: Value, b: Value) -> None:
        """Forget what was supposed last, which was about these."""
        self.known[1][a].withdraw()
        self.known[-1][b].withdraw()

    def _both(self, place: Place, a: Value, b: Value, change: int) -> Iterator[tuple[_Facts, Fact]]:
        for sign, one, other in ((1, a, b), (-1, b, a)):
            fact = Fact(*place, other, change)
            if other.op == "const":
                fact = Fact(*place, None, change + sign * other.attr)
            if one not in self.known[sign]:
                self.known[sign][one] = _Facts(self.flow)
            yield self.known[sign][one], fact

    def facts(self, sign: int, value: Value, place: Place) -> Sequence[Fact]:
        """Return the facts about a value that hold at a place."""
        block, position = place
        facts = self.known[sign].get(value)
        if facts is None:
            return ()
        return [
            fact for fact in facts.reaching(block)
            if fact.block is not block or fact.position < position
        ]  # fmt: skip

    def learns(self, sign: int, value: Value, block: Block, since: int, until: int) -> bool:
        """Return whether something is learned of a value between two positions of a block."""
        facts = self.known[sign].get(value) if since < until else None
        return facts is not None and any(
            fact.block is block and since <= fact.position < until for fact in facts.reaching(block)
        )

    def sources(self, param: Value) -> list[tuple[Value, Block]]:
        """Return what a parameter may be besides itself, and from where; joins are looked through.

        Where they are many, some may be joins, or the parameter.
        """
        found: list[tuple[Value, Block]] = []
        work, seen = [param], {param}
        while work:
            for arg, block in self.args[work.pop()]:
                is_join = arg in self.args and self.homes[arg] not in self.flow.headers
                if is_join and arg not in seen and len(seen) < _JOINS:
                    seen.add(arg)
                    work.append(arg)
                elif arg not in seen:
                    found.append((arg, block))
        return found

    def earlier_lengths(self, length: Value) -> list[Value]:
        """Return lengths of the same list that were found before: nobody shortens a list."""
        if length not in self._earlier:
            home, position = self.homes[length], self.positions[length]
            self._earlier[length] = [
                other for other in self.lengths[length.args[0]].reaching(home)
                if self.homes[other] is not home or self.positions[other] < position
            ]  # fmt: skip
        return self._earlier[length]

    def reaches(self, block: Block, position: int, place: Place) -> bool:
        """Return whether an instruction dominates a place."""
        if block is place[0]:
            return position < place[1]
        return self.flow.dominates(block, place[0])
