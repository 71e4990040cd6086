"""What branches and passed checks say about the ints of a function, and from where on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.function import Block, Branch, Jump
from mochi_rules.compiler.ir.types import INT

if TYPE_CHECKING:
    from collections.abc import Iterator

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
END = 1 << 30  # a position behind all instructions


Place = tuple[Block, int]


@dataclass(frozen=True, slots=True)
class Fact:
    """From some place on: sign * value ≤ sign * other + change; `other` None is zero."""

    block: Block
    position: int
    other: Value | None
    change: int


class Known:
    """What is known about the ints of a function, for both directions; see `bounds`."""

    def __init__(self, facts: Facts) -> None:
        self.flow: Flow = facts.flow
        self.homes = facts.homes
        self.positions = {
            value: number for block in self.flow.blocks for number, value in enumerate(block.code)
        }  # fmt: skip
        self.known: dict[int, dict[Value, list[Fact]]] = {1: {}, -1: {}}
        self.nonzero: dict[Value, list[Place]] = {}
        self.args: dict[Value, list[tuple[Value, Block]]] = {}  # of parameters, and from where
        self.lengths: dict[Value, list[Value]] = {}  # of lists
        self.fitting: dict[tuple[str, frozenset[Value]], list[Place]] = {}  # by `wraps`, they fit
        for block in self.flow.blocks:
            self._learn(block)

    def _learn(self, block: Block) -> None:
        for position, value in enumerate(block.code):
            if value.op in BELOW:
                index, length = value.args
                self.below((block, position), index, length, -1)
            elif value.op == "list.len":
                self.lengths.setdefault(value.args[0], []).append(value)
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
        for sign, one, other in ((1, a, b), (-1, b, a)):
            fact = Fact(*place, other, change)
            if other.op == "const":
                fact = Fact(*place, None, change + sign * other.attr)
            self.known[sign].setdefault(one, []).append(fact)

    def facts(self, sign: int, value: Value, place: Place) -> Iterator[Fact]:
        """Return the facts about a value that hold at a place."""
        for fact in self.known[sign].get(value, ()):
            if self.reaches(fact.block, fact.position, place):
                yield fact

    def reaches(self, block: Block, position: int, place: Place) -> bool:
        """Return whether an instruction dominates a place."""
        if block is place[0]:
            return position < place[1]
        return self.flow.dominates(block, place[0])
