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
from mochi_rules.compiler.passes.borrow import counting_code, find_borrowing, is_alias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from mochi_rules.compiler.ir.cfg import Flow
    from mochi_rules.compiler.ir.function import Function, Signature
    from mochi_rules.compiler.passes.borrow import Borrowing, CountingCode
    from mochi_rules.compiler.passes.context import Context


def insert_reference_counts(function: Function, context: Context) -> None:
    """Insert retain and release; the function must not have any yet."""
    code = {block: counting_code(block) for block in function.blocks}
    if any(code.values()) or any(param.type.is_counted for param in function.params):
        held = find_borrowing(function, context, code)
        _Counter(function, context.signatures, context.facts(function).flow, code, held).run()
        context.facts(function).forget_uses()


@dataclass(slots=True)
class _Counter:
    function: Function
    signatures: Mapping[str, Signature]
    flow: Flow
    code: CountingCode
    held: Borrowing
    homes: dict[Value, Block] = field(default_factory=dict)  # of what is owned
    crossing: list[Value] = field(default_factory=list)  # owned, used outside their own block
    bits: dict[Value, int] = field(default_factory=dict)  # their places in `crossing`
    live_in: dict[Block, int] = field(default_factory=dict)
    branched: dict[Block, Block] = field(default_factory=dict)  # target of a branch -> its source
    mentioned: dict[Block, set[Value]] = field(default_factory=dict)  # see `_mentioned`
    defined: dict[Block, list[Value]] = field(default_factory=dict)  # see `_defined`

    def run(self) -> None:
        for block in self.code:
            if isinstance(block.end, Branch):
                self.branched[block.end.then] = self.branched[block.end.otherwise] = block
            self.mentioned[block] = self._mentioned(block)
            self.defined[block] = self._defined(block)
            self.homes.update(dict.fromkeys(self.defined[block], block))
        self._find_crossing()
        self._find_liveness()
        for block in self.code:
            self._count(block)

    def _taken(self, value: Value) -> Collection[int]:
        """Return the numbers of the arguments whose reference an instruction takes over."""
        if is_alias(value):
            return (0,) if value in self.held.taking else ()
        return consumed(value, self.signatures)

    # Liveness: a set of crossing values is an integer, with a bit for each

    def _find_crossing(self) -> None:
        homes = self.homes
        used_outside = {
            value for block, values in self.mentioned.items() for value in values
            if homes.get(value, block) is not block
        }  # fmt: skip
        self.crossing = [value for value in homes if value in used_outside]
        self.bits = {value: bit for bit, value in enumerate(self.crossing)}

    def _params(self, block: Block) -> list[Value]:
        """Return the values that a block begins with."""
        return self.function.taken_params if block is self.function.entry else block.params

    def _defined(self, block: Block) -> list[Value]:
        """Return what is owned from a block on."""
        owned = self.held.owned
        found = [param for param in self._params(block) if param in owned]
        return found + [value for _, value, _ in self.code[block] if value in owned]

    def _mentioned(self, block: Block) -> set[Value]:
        """Return what must live for the operands of a block."""
        args = {arg for _, _, counted in self.code[block] for arg in counted}
        args.update(arg for arg in block.end_operands if arg.type.is_counted)
        return set(map(self.held.root, args))

    def _find_liveness(self) -> None:
        blocks = self.flow.blocks[::-1]
        self.live_in = dict.fromkeys(blocks, 0)
        if not self.crossing:
            return
        summaries = [
            (block, self._set_of(self.mentioned[block]), ~self._set_of(self.defined[block]))
            for block in blocks
        ]
        changed = True
        while changed:
            changed = False
            for block, used, passing in summaries:
                live = (self._live_out(block) | used) & passing
                if live != self.live_in[block]:
                    self.live_in[block] = live
                    changed = True

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
        # What dies on the edge into this block: alive at the end of the one before, not here.
        dying = self._dying_at_entry(block)
        if self.mentioned[block] or self.defined[block]:
            code: list[Value] = []  # backwards
            live = self._live_after(block)
            self._count_end(block, code, live)
            end = len(block.code)
            for position, value, counted in reversed(self.code[block]):
                code += block.code[end - 1 : position : -1]
                self._count_value(value, counted, code, live)
                end = position
            code += block.code[:end][::-1]
            block.code = code[::-1]
            owned = self.held.owned
            dying += [p for p in self._params(block) if p in owned and p not in live]
        block.code[:0] = map(_release, dying)

    def _live_after(self, block: Block) -> set[Value]:
        """Return those of the values that a block mentions which are used later."""
        live = self._live_out(block)
        if not live:
            return set()
        near = self.mentioned[block].union(self.defined[block])
        return {value for value in near if value in self.bits and live >> self.bits[value] & 1}

    def _count_value(
        self, value: Value, counted: list[Value], code: list[Value], live: set[Value]
    ) -> None:
        owned = self.held.owned
        if value in owned and value not in live:
            code.append(_release(value))
        live.discard(value)
        roots = dict.fromkeys(map(self.held.root, counted))
        before: list[Value] = []
        moved: set[Value] = set()
        if taken := self._taken(value):
            # An argument that keeps a borrowed one alive stays ours until after the instruction.
            borrowed = (arg for n, arg in enumerate(value.args) if n not in taken)
            kept = live.union(map(self.held.root, borrowed))
            moved, before = self._hand_over((value.args[n] for n in sorted(taken)), kept)
        mine = [arg for arg in roots if arg in owned]
        code += [_release(arg) for arg in reversed(mine) if not (arg in live or arg in moved)]
        live.update(mine)
        if value in self.held.promoted:
            code.append(_retain(value))
        code.append(value)
        code += before[::-1]

    def _count_end(self, block: Block, code: list[Value], live: set[Value]) -> None:
        if isinstance(block.end, (Jump, Return)):
            args = [arg for arg in block.end_operands if arg.type.is_counted]
            moved, before = self._hand_over(args, live)
            roots = dict.fromkeys(map(self.held.root, args))
            mine = [arg for arg in roots if arg in self.held.owned]
            code += [_release(arg) for arg in reversed(mine) if not (arg in live or arg in moved)]
            live.update(mine)
            code += before[::-1]

    def _hand_over(self, args: Iterable[Value], kept: set[Value]) -> tuple[set[Value], list[Value]]:
        """Return which values move to who takes them over, and retains of the others."""
        moved: set[Value] = set()
        retains = []
        for arg in args:
            if arg in self.held.owned and arg not in kept and arg not in moved:
                moved.add(arg)
            elif arg.type.is_counted and arg.op != "null":
                retains.append(_retain(arg))
        return moved, retains

    def _dying_at_entry(self, block: Block) -> list[Value]:
        """Return what the only predecessor of a branch's target keeps alive for the other side."""
        source = self.branched.get(block)
        if source is None:
            return []
        return list(self._members(self._live_out(source) & ~self.live_in[block]))


def _retain(value: Value) -> Value:
    return Value("retain", (value,), VOID)


def _release(value: Value) -> Value:
    return Value("release", (value,), VOID)
