"""Which values stay borrowed: what an element, a field or a variable holds, used while it stays.

A borrowed value lives until the place that it was read from may drop it, and as long as what that
place belongs to. So it stays borrowed where nothing on a way from its definition to a use drops
references in the kinds of memory that it came from. Where something takes it over, it is retained;
so nothing may do that for certain, in its own block. An alias is borrowed from its argument, if
nothing takes it over. What does not stay borrowed becomes owned: a load is retained at once, and an
alias takes over its argument.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.ir.function import Jump, Return, consumed, effects_of, result_is
from mochi_rules.compiler.ir.ops import NOTHING, OPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mochi_rules.compiler.ir.cfg import Flow
    from mochi_rules.compiler.ir.function import Block, Function, Value
    from mochi_rules.compiler.ir.ops import Kinds
    from mochi_rules.compiler.passes.context import Context

    _Counting = tuple[int, Value, list[Value]]  # by position, with its counted arguments
    CountingCode = Mapping[Block, list[_Counting]]

_FOREIGN = frozenset({"closure.call", "call.indirect"})  # calls of unknown functions
_FAR = 256  # blocks in which a value may be borrowed: searching more takes too long


@dataclass(slots=True)
class Borrowing:
    """How the values of a function are held."""

    owned: set[Value] = field(default_factory=set)
    roots: dict[Value, Value] = field(default_factory=dict)  # borrowed value -> what keeps it alive
    promoted: set[Value] = field(default_factory=set)  # loads that are retained at once
    taking: set[Value] = field(default_factory=set)  # aliases that take over their argument

    def root(self, value: Value) -> Value:
        """Return what must live while a value is used."""
        while value in self.roots:
            value = self.roots[value]
        return value


def is_alias(value: Value) -> bool:
    """Whether a counted value is its argument under another type."""
    return OPS[value.op].result_is == "alias" and value.type.is_counted


def counting_code(block: Block) -> list[_Counting]:
    """Return the instructions that references may matter to: few of all."""
    found = []
    for position, value in enumerate(block.code):
        counted = [arg for arg in value.args if arg.type.is_counted]
        if counted or value.type.is_counted or value.op == "call":
            found.append((position, value, counted))
    return found


def find_borrowing(function: Function, context: Context, code: CountingCode) -> Borrowing:
    """Decide for each counted value of a function whether it is owned or borrowed.

    `code` has the `counting_code` of its blocks.
    """
    flow = context.facts(function).flow
    finder = _Finder(flow, context)
    finder.found.owned.update(function.taken_params)
    for block in flow.blocks:
        finder.note(block, code[block])
    for block in flow.blocks:
        finder.classify(block, code[block])
    return finder.found


@dataclass(slots=True)
class _Finder:
    flow: Flow
    context: Context
    found: Borrowing = field(default_factory=Borrowing)
    sources: dict[Value, Kinds] = field(default_factory=dict)  # borrowed value -> read from where
    takers: dict[Value, set[Block]] = field(default_factory=dict)  # of references, but aliases
    uses: dict[Value, list[tuple[Block, int]]] = field(default_factory=dict)
    drops: dict[Block, dict[str, list[int]]] = field(default_factory=dict)  # by kind of memory

    def note(self, block: Block, code: list[_Counting]) -> None:
        """Note what a block uses, takes over and drops, by position."""
        drops: dict[str, list[int]] = {}
        for position, value, counted in code:
            for arg in counted:
                self.uses.setdefault(arg, []).append((block, position))
            taken = [value.args[n] for n in consumed(value, self.context.signatures)]
            for arg in taken:
                self.takers.setdefault(arg, set()).add(block)
            # Who keeps alive what a call takes over keeps the call from changing it in place.
            effects = effects_of(value) if taken else self.context.effects(value)
            for kind in effects.writes if effects.frees else ():
                drops.setdefault(kind, []).append(position)
        if isinstance(block.end, (Jump, Return)):
            for arg in block.end_operands:
                if arg.type.is_counted:
                    self.takers.setdefault(arg, set()).add(block)
                    self.uses.setdefault(arg, []).append((block, len(block.code)))
        if drops:
            self.drops[block] = drops

    def classify(self, block: Block, code: list[_Counting]) -> None:
        """Decide for the values of a block; those that it depends on are decided."""
        self.found.owned.update(param for param in block.params if param.type.is_counted)
        for position, value, _ in code:
            if not value.type.is_counted:
                continue
            held = result_is(value, self.context.signatures)
            if held == "owned":
                self.found.owned.add(value)
            elif held in ("borrowed", "alias"):
                self._borrow(value, block, position)

    def _borrow(self, value: Value, block: Block, position: int) -> None:
        """Let a value stay borrowed, or make it owned."""
        found = self.found
        sources = NOTHING if is_alias(value) else effects_of(value).reads
        if value.args:
            sources |= self.sources.get(value.args[0], NOTHING)
        if self._stays(value, block, position, sources):
            self.sources[value] = sources
            if value.args:
                found.roots[value] = value.args[0]
        else:
            found.owned.add(value)
            (found.taking if is_alias(value) else found.promoted).add(value)

    def _stays(self, value: Value, home: Block, start: int, sources: Kinds) -> bool:
        """Whether a value is used only while it lives; aliases of it count as uses of it."""
        last: dict[Block, int] = {}
        names: list[tuple[Value, Block | None]] = [(value, None)]  # where its first alias is
        while names:
            name, place = names.pop()
            takers = self.takers.get(name, ())
            if takers and (is_alias(value) or home in ((place,) if place else takers)):
                return False
            for block, position in self.uses.get(name, ()):
                last[block] = max(last.get(block, -1), position)
                if position < len(block.code) and is_alias(block.code[position]):
                    names.append((block.code[position], place or block))
        passed = self._passed(home, last)
        if passed is None:
            return False
        for block in passed | last.keys():
            end = len(block.code) if block in passed else last[block]
            begin = start if block is home else -1
            if self._is_dropped(block, sources, begin, end):
                return False
        return True

    def _passed(self, home: Block, last: Iterable[Block]) -> set[Block] | None:
        """Return the blocks at whose end a value is still to be used; None where they are many."""
        passed: set[Block] = set()
        work = [block for block in last if block is not home]
        entered = set(work)
        while work:
            for source in self.flow.predecessors[work.pop()]:
                passed.add(source)
                if source is not home and source not in entered:
                    entered.add(source)
                    work.append(source)
            if len(entered) > _FAR:
                return None
        return passed

    def _is_dropped(self, block: Block, sources: Kinds, begin: int, end: int) -> bool:
        """Whether some kinds of memory may lose a reference between two places in a block.

        Where the place at the end does, it is too late, but in foreign code.
        """
        first = end + 1
        drops = self.drops.get(block, {})
        for kind in sources & drops.keys():
            number = bisect_right(drops[kind], begin)
            if number < len(drops[kind]):
                first = min(first, drops[kind][number])
        return first < end or (first == end and self._runs_foreign_code(block.code[end]))

    def _runs_foreign_code(self, value: Value) -> bool:
        """Whether an instruction may still use its arguments after it changed memory.

        The runtime library does not; a function of the program may.
        """
        if value.op != "call":
            return value.op in _FOREIGN
        return value.attr in self.context.functions or value.attr not in self.context.signatures
