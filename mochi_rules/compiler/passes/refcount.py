"""Inserts reference counting: every counted value is released exactly once.

A value is owned (one reference is ours: a call's result, a fresh object), borrowed from its
first argument (an element, a field) or from outside (a parameter, a constant); `borrow.py`
decides. An owned value ends in an operation that takes it over, or is released after its last
use. A borrowed one is retained where an operation takes it over, and what it was read from lives
as long as it does.

Follows mypyc's transform/refcount.py in placing releases by liveness, and Perceus (PLDI 2021) in
making the last use of a value a move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.ir.function import (
    Block,
    Branch,
    Jump,
    Return,
    Value,
    consumed,
)
from mochi_rules.compiler.ir.types import VOID
from mochi_rules.compiler.passes.borrow import find_borrowing, is_alias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from mochi_rules.compiler.ir.cfg import Flow
    from mochi_rules.compiler.ir.function import Function, Signature
    from mochi_rules.compiler.passes.borrow import Borrowing
    from mochi_rules.compiler.passes.context import Context


def insert_reference_counts(function: Function, context: Context) -> None:
    """Insert retain and release; the function must not have any yet."""
    flow = context.facts(function).flow
    held = find_borrowing(function, context)
    _Counter(function, context.signatures, flow, held).run()
    context.facts(function).forget_uses()


@dataclass(slots=True)
class _Counter:
    function: Function
    signatures: Mapping[str, Signature]
    flow: Flow
    held: Borrowing
    crossing: list[Value] = field(default_factory=list)  # owned, used outside their own block
    bits: dict[Value, int] = field(default_factory=dict)  # their places in `crossing`
    live_in: dict[Block, int] = field(default_factory=dict)
    branched: dict[Block, Block] = field(default_factory=dict)  # target of a branch -> its source
    mentioned: dict[Block, set[Value]] = field(default_factory=dict)  # see `_mentioned`

    def run(self) -> None:
        blocks = self.function.blocks
        for block in blocks:
            if isinstance(block.end, Branch):
                self.branched[block.end.then] = self.branched[block.end.otherwise] = block
            self.mentioned[block] = self._mentioned(block)
        self._find_crossing()
        self._find_liveness()
        for block in blocks:
            self._count(block)

    def _taken(self, value: Value) -> Collection[int]:
        """Return the numbers of the arguments whose reference an instruction takes over."""
        if is_alias(value):
            return (0,) if value in self.held.taking else ()
        return consumed(value, self.signatures)

    # Liveness: a set of crossing values is an integer, with a bit for each

    def _find_crossing(self) -> None:
        used_outside: set[Value] = set()
        for block in self.function.blocks:
            used_outside |= self.mentioned[block] - set(self._params(block)) - set(block.code)
        for block in self.function.blocks:
            for value in (*self._params(block), *block.code):
                if value in used_outside and value in self.held.owned:
                    self.bits[value] = len(self.crossing)
                    self.crossing.append(value)

    def _params(self, block: Block) -> list[Value]:
        """Return the values that a block begins with."""
        return self.function.taken_params if block is self.function.entry else block.params

    def _mentioned(self, block: Block) -> set[Value]:
        """Return what must live for the operands of a block."""
        args = {arg for value in block.code for arg in value.args if arg.type.is_counted}
        args.update(block.end_operands)
        return set(map(self.held.root, args))

    def _find_liveness(self) -> None:
        blocks = self.flow.blocks[::-1]
        summaries = [(block, *self._summary(block)) for block in blocks]
        self.live_in = dict.fromkeys(blocks, 0)
        changed = True
        while changed:
            changed = False
            for block, used, defined in summaries:
                live = self._live_out(block) & ~defined | used
                if live != self.live_in[block]:
                    self.live_in[block] = live
                    changed = True

    def _summary(self, block: Block) -> tuple[int, int]:
        """Return the values that a block needs from before, and those it defines."""
        defined = self._set_of((*self._params(block), *block.code))
        return self._set_of(self.mentioned[block]) & ~defined, defined

    def _set_of(self, values: Iterable[Value]) -> int:
        result = 0
        for value in values:
            if value in self.bits:
                result |= 1 << self.bits[value]
        return result

    def _live_out(self, block: Block) -> int:
        live = 0
        for target in block.targets:
            live |= self.live_in[target]
        return live

    def _members(self, live: int) -> Iterator[Value]:
        """Return the values of a set, in the order of their definition."""
        while live:
            bit = live & -live
            yield self.crossing[bit.bit_length() - 1]
            live ^= bit

    # Insertion

    def _count(self, block: Block) -> None:
        code: list[Value] = []  # backwards
        live = self._live_after(block)
        self._count_end(block, code, live)
        for value in reversed(block.code):
            if value.type.is_counted or any(arg.type.is_counted for arg in value.args):
                self._count_value(value, code, live)
            else:
                code.append(value)
        # What dies on the edge into this block: alive at the end of the one before, not here.
        dying = self._dying_at_entry(block)
        dying += [p for p in self._params(block) if p in self.held.owned and p not in live]
        code += [_release(value) for value in reversed(dying)]
        block.code = code[::-1]

    def _live_after(self, block: Block) -> set[Value]:
        """Return those of the values that a block mentions which are used later."""
        live = self._live_out(block)
        if not live:
            return set()
        near = self.mentioned[block].union(self._params(block), block.code)
        return {value for value in near if value in self.bits and live >> self.bits[value] & 1}

    def _count_value(self, value: Value, code: list[Value], live: set[Value]) -> None:
        if value in self.held.owned and value not in live:
            code.append(_release(value))
        live.discard(value)
        taken = self._taken(value)
        after: list[Value] = []
        before: list[Value] = []
        moved: set[Value] = set()
        # An argument that keeps a borrowed one alive stays ours until after the instruction.
        needed = {self.held.root(a) for n, a in enumerate(value.args) if n not in taken}
        for number, arg in enumerate(value.args):
            if number not in taken or not _is_counted(arg):
                continue
            if arg in self.held.owned and not (arg in live or arg in moved or arg in needed):
                moved.add(arg)
            else:
                before.append(_retain(arg))
        after += [
            _release(arg)
            for arg in dict.fromkeys(map(self.held.root, value.args))
            if arg in self.held.owned and arg not in live and arg not in moved
        ]
        live.update(arg for arg in map(self.held.root, value.args) if arg in self.held.owned)
        if value in self.held.promoted:
            after.insert(0, _retain(value))
        code += after[::-1]
        code.append(value)
        code += before[::-1]

    def _count_end(self, block: Block, code: list[Value], live: set[Value]) -> None:
        args = block.end_operands if isinstance(block.end, (Jump, Return)) else []
        before = []
        moved: set[Value] = set()
        for arg in args:
            if not _is_counted(arg):
                continue
            if arg in self.held.owned and arg not in live and arg not in moved:
                moved.add(arg)
            else:
                before.append(_retain(arg))
        live.update(arg for arg in map(self.held.root, args) if arg in self.held.owned)
        code += before[::-1]

    def _dying_at_entry(self, block: Block) -> list[Value]:
        """Return what the only predecessor of a branch's target keeps alive for the other side."""
        source = self.branched.get(block)
        if source is None:
            return []
        return list(self._members(self._live_out(source) & ~self.live_in[block]))


def _is_counted(value: Value) -> bool:
    return value.type.is_counted and value.op != "null"


def _retain(value: Value) -> Value:
    return Value("retain", (value,), VOID)


def _release(value: Value) -> Value:
    return Value("release", (value,), VOID)
