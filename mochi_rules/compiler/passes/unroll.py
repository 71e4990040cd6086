"""Runs iterations of a loop together, where its numbers are so small that no result overflows.

In front of an innermost loop that counts and only reads runs another one, of some iterations in
one. It computes without checks, and instead looks once at all the numbers that the arithmetic
rests on. Where one of them is large, and for the iterations that are left in the end, the loop as
it was goes on from there, so it stops the program where it always did.

Requires loops that test their conditions in their headers. Gives two loops for one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.function import (
    Block,
    Branch,
    Jump,
    Value,
    effects_of,
    int_constant,
    renewed,
)
from mochi_rules.compiler.ir.ops import CONSTANTS
from mochi_rules.compiler.ir.types import BOOL, INT
from mochi_rules.compiler.passes.counter import counter_of, guard_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Function
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.counter import Counter

    _Range = tuple[int, int]  # the least and the largest

_SIZE = 24  # instructions of a loop
_TIMES = (4, 2)  # how many iterations, best first
_TESTS = 6  # numbers that are looked at in one iteration; all of them are in registers
_FEW = 16  # iterations for which it does not pay
_LIMITS = ((30, 30), (22, 17))  # bits, besides the sign, of what is read and of the counter
_WIDE = 60  # and of what goes from one iteration to the next
_INT = 63

_CHECKED = {"add.checked": "add", "sub.checked": "sub", "mul.checked": "mul"}
_ADDITIVE = frozenset({"add", "sub"})
_RANGED = frozenset({*_ADDITIVE, "mul"})


def unroll(function: Function, context: Context) -> None:
    """Unroll the innermost loops of a function that check arithmetic."""
    facts = context.facts(function)
    found = [loop for header in facts.flow.loops if (loop := _find(facts, header))]
    for loop in found:
        _unroll(function, loop)
    if found:
        facts.forget_flow()


@dataclass(frozen=True, slots=True)
class _Loop:
    """A loop of two blocks, and the code of one iteration."""

    header: Block
    entry: Block
    latch: Block
    counter: Counter

    @property
    def code(self) -> list[Value]:
        """What an iteration computes; the constants of the header too."""
        constants = [value for value in self.header.code if value.op in CONSTANTS]
        return constants + self.latch.code


def _find(facts: Facts, header: Block) -> _Loop | None:
    """Return a loop by its first block, where it can be unrolled."""
    flow = facts.flow
    body, entry = flow.loops[header], flow.entry_of(header)
    guard = guard_of(header, body, facts.homes) if len(body) == 2 and entry else None
    counter = counter_of(header, guard, body, flow) if guard else None
    if entry is None or counter is None or entry in flow.unlikely:
        return None
    if not 0 < counter.step <= _FEW or _is_short(counter):
        return None
    (latch,) = body - {header}
    loop = _Loop(header, entry, latch, counter)
    is_condition = len([value for value in header.code if value.op not in CONSTANTS]) == 1
    has_checks = any(value.op in _CHECKED for value in latch.code)
    return loop if is_condition and has_checks and _is_quiet(latch.code) else None


def _is_short(counter: Counter) -> bool:
    first, limit = counter.first, counter.limit
    return first.op == limit.op == "const" and limit.attr - first.attr < _FEW * counter.step


def _is_quiet(code: list[Value]) -> bool:
    """Whether code may run before it is known that its arithmetic fits."""
    return len(code) <= _SIZE and all(
        value.op in _CHECKED or (effects_of(value).is_movable and not effects_of(value).traps)
        for value in code
    )


def _unroll(function: Function, loop: _Loop) -> None:
    """Put another loop in front of one, of the most iterations that can be tested together."""
    for times in _TIMES:
        ways = [_Iterations(loop, times, *limits) for limits in _LIMITS]
        ways = [way for way in ways if way.fit()]
        if ways:
            function.blocks += _place(loop, min(ways, key=lambda way: len(way.tests)))
            return


class _Iterations:
    """The code of some iterations in one, without checks, and what it rests on.

    `tests` are the values that must be small, with how many bits they may have; `outside` are
    those that are known in front of the loop.
    """

    def __init__(self, loop: _Loop, times: int, bits: int, counted: int) -> None:
        self.loop = loop
        self.distance = (times - 1) * loop.counter.step
        self.bits = bits
        self.counted = counted
        self.turns = (2 << counted) // times
        self.params = renewed(loop.header.params)
        self.code: list[Value] = []
        self.tests: dict[Value, int] = {}
        self.outside: dict[Value, int] = {}
        self._checked: list[Value] = []
        self._ranges: dict[Value, _Range] = {}
        self.results = self.params
        for _ in range(times):
            self.results = self._copy(self.results)
        self._inside = {*self.params, *self.code}

    def _copy(self, params: list[Value]) -> list[Value]:
        """Add one iteration, which begins with some values; return what the next begins with."""
        names = dict(zip(self.loop.header.params, params, strict=True))
        for value in self.loop.code:
            args = tuple(names.get(arg, arg) for arg in value.args)
            op = _CHECKED.get(value.op)
            attr = None if op else value.attr
            new = Value(op or value.op, args, value.type, attr, value.site, value.name)
            names[value] = new
            self.code.append(new)
            if op:
                self._checked.append(new)
        end = self.loop.latch.end
        assert isinstance(end, Jump)
        return [names.get(arg, arg) for arg in end.args]

    @property
    def counter(self) -> Value:
        """What counts the iterations."""
        return self.params[self.loop.header.params.index(self.loop.counter.param)]

    def fit(self) -> bool:
        """Find what must be small; return whether no result overflows then."""
        begin = self.loop.entry.end
        assert isinstance(begin, Jump)
        self._ranges[self.counter] = _bits(self.counted)
        ends = (self.loop.counter.first, self.loop.counter.limit)
        if not all(self._suppose(end, self.counted) for end in ends):
            return False
        for param, first, result in zip(self.params, begin.args, self.results, strict=True):
            if param.type is INT and param is not self.counter:
                self._sum_up(param, first, result)
        return all(map(self._fits, self._checked)) and len(self.tests) <= _TESTS

    def _sum_up(self, param: Value, first: Value, result: Value) -> None:
        """Find the range of a parameter that a sum of small values becomes."""
        change = self._change(result, param)
        if change and self._suppose(first, _WIDE):
            (low, high), (least, most) = _bits(_WIDE), change
            bounds = low + self.turns * least, high + self.turns * most
            if _is_within(*bounds, _INT):
                self._ranges[param] = bounds

    def _suppose(self, value: Value, bits: int) -> bool:
        """Let a value from outside be tested, or look at a constant now."""
        if value.op == "const":
            return _is_within(value.attr, value.attr, bits)
        self.outside[value] = min(bits, self.outside.get(value, bits))
        return True

    def _change(self, value: Value, param: Value) -> _Range | None:
        """Return by how much a sum may be above a parameter or below; it includes 0."""
        if value is param:
            return 0, 0
        if value.op not in _ADDITIVE:
            return None
        first, second = value.args
        if value.op == "add" and second is param:
            first, second = second, first
        so_far = self._change(first, param)
        return so_far and _include_0(_compute(value.op, so_far, self._range(second)))

    def _fits(self, value: Value) -> bool:
        """Find the range of a result; return whether all of it are ints."""
        self._ranges[value] = _compute(value.op, *map(self._range, value.args))
        return _is_within(*self._ranges[value], _INT)

    def _range(self, value: Value) -> _Range:
        """Return the range of a value; where nothing else says it, a test will."""
        if value.op == "const":
            return value.attr, value.attr
        if value.op == "index.known":
            return self._range(value.args[0])
        if value not in self._ranges and not (value.op in _RANGED and self._fits(value)):
            bits = _WIDE if value in self.params else self.bits
            tests = self.tests if value in self._inside else self.outside
            tests[value] = min(bits, tests.get(value, bits))
            self._ranges[value] = _bits(tests[value])
        return self._ranges[value]


def _include_0(bounds: _Range) -> _Range:
    return min(bounds[0], 0), max(bounds[1], 0)


def _compute(op: str, left: _Range, right: _Range) -> _Range:
    match op:
        case "add":
            return left[0] + right[0], left[1] + right[1]
        case "sub":
            return left[0] - right[1], left[1] - right[0]
    products = [a * b for a in left for b in right]
    return min(products), max(products)


def _bits(count: int) -> _Range:
    """Return the range of numbers of some bits and a sign."""
    return -(1 << count), (1 << count) - 1


def _is_within(least: int, most: int, bits: int) -> bool:
    low, high = _bits(bits)
    return low <= least and most <= high


# Blocks


def _place(loop: _Loop, iterations: _Iterations) -> list[Block]:
    """Put the new loop in front of one; return the new blocks."""
    begin, counter, params = loop.entry.end, loop.counter, iterations.params
    assert isinstance(begin, Jump)
    rest, ready, header, body, again = (Block() for _ in range(5))
    rest.params = renewed(params)
    rest.end = Jump(loop.header, list(rest.params))
    left = [_jump(rest, args) for args in (begin.args, params, params)]
    _test(loop.entry, iterations.outside, ready, left[0])
    if counter.limit.op == "const":
        limit = int_constant(counter.limit.attr - iterations.distance)
        ready.code = [limit]
    else:
        limit = _add(ready, "sub", counter.limit, iterations.distance)
    ready.end = Jump(header, begin.args)
    header.params = params
    header.code = [Value("le" if counter.is_inclusive else "lt", (iterations.counter, limit), BOOL)]
    header.end = Branch(header.code[0], body, left[1])
    body.code = iterations.code
    _test(body, iterations.tests, again, left[2])
    again.end = Jump(header, iterations.results)
    reached = [block for source in (loop.entry, header, body) for block in source.targets]
    return list(dict.fromkeys((*reached, header, again, rest)))


def _jump(target: Block, args: list[Value]) -> Block:
    """Return a block that only jumps."""
    block = Block()
    block.end = Jump(target, list(args))
    return block


def _test(block: Block, bits: Mapping[Value, int], small: Block, large: Block) -> None:
    """End a block by a test whether one of some values is large.

    All of them together: a value is small where, with its least added, no high bit is set.
    """
    fewest = min(bits.values(), default=0)
    union: Value | None = None
    for value, count in bits.items():
        shifted = _add(block, "add", value, 1 << count)
        if count > fewest:
            shifted = _add(block, "shr_u", shifted, count - fewest)
        if union:
            shifted = Value("or", (union, shifted), INT)
            block.code.append(shifted)
        union = shifted
    block.end = Jump(small)
    if union:
        condition = _add(block, "lt_u", union, 1 << fewest + 1)
        block.end = Branch(condition, small, large, likely=True)


def _add(block: Block, op: str, value: Value, constant: int) -> Value:
    """Add an operation with a constant to a block; return the result."""
    other = int_constant(constant)
    result = Value(op, (value, other), BOOL if op == "lt_u" else INT)
    block.code += [other, result]
    return result
