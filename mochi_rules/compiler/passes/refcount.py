"""Inserts reference counting: every counted value is released exactly once.

A value is owned (one reference is ours: a call's result, a fresh object), borrowed from its
first argument (an element, a field) or from outside (a parameter, a constant). An owned value
ends in an operation that takes it over, or is released after its last use. A borrowed one is
retained where an operation takes it over. An element read from memory is retained at once and so
becomes owned, unless its last use comes in the same block before anything may free it: then it
stays borrowed, and what it was read from lives as long.

Follows mypyc's transform/refcount.py in placing releases by liveness, and Perceus (PLDI 2021) in
making the last use of a value a move.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir import Block, Branch, Jump, Return, Value, consumed
from mochi_rules.compiler.ops import OPS
from mochi_rules.compiler.types import VOID

if TYPE_CHECKING:
    from collections.abc import Collection

    from mochi_rules.compiler.ir import Function, Signature

_MAY_FREE = frozenset({"free", "call"})
# These read no memory: what they give is their argument under another type.
_ALIASES = frozenset({"widen", "any.to", "any.cast", "check.some"})


def insert_reference_counts(function: Function, signatures: dict[str, Signature]) -> None:
    """Insert retain and release; the function must not have any yet."""
    _Counter(function, signatures).run()


@dataclass(slots=True)
class _Counter:
    function: Function
    signatures: dict[str, Signature]
    owned: set[Value] = field(default_factory=set)
    roots: dict[Value, Value] = field(default_factory=dict)  # borrowed value -> what keeps it alive
    promoted: set[Value] = field(default_factory=set)  # loads that are retained at once
    taking: set[Value] = field(default_factory=set)  # aliases that take their argument over
    live_in: dict[Block, set[Value]] = field(default_factory=dict)
    branched: dict[Block, Block] = field(default_factory=dict)  # target of a branch -> its source
    order: dict[Value, int] = field(default_factory=dict)

    def run(self) -> None:
        blocks = self.function.blocks
        only_in = self._single_blocks()
        for block in blocks:
            for value in (*block.params, *block.code):
                self.order[value] = len(self.order)
            if isinstance(block.end, Branch):
                self.branched[block.end.then] = self.branched[block.end.otherwise] = block
            self.owned.update(param for param in block.params if param.type.is_counted)
            self._classify(block, only_in)
        self._find_liveness()
        for block in blocks:
            self._count(block)

    # Who owns what

    def _single_blocks(self) -> dict[Value, Block | None]:
        """Return, for each value, the only block that uses it, or None where there are several."""
        found: dict[Value, Block | None] = {}
        for block in self.function.blocks:
            for value in block.code:
                for arg in value.args:
                    found[arg] = block if found.get(arg, block) is block else None
            for arg in _end_values(block):
                found[arg] = None
        return found

    def _classify(self, block: Block, only_in: dict[Value, Block | None]) -> None:
        for position, value in enumerate(block.code):
            if not value.type.is_counted:
                continue
            held = self._held(value)
            if held == "owned":
                self.owned.add(value)
            elif held == "borrowed":
                if only_in.get(value) is block and self._stays(block, position, value):
                    self.roots[value] = value.args[0]
                else:
                    self.owned.add(value)
                    (self.taking if value.op in _ALIASES else self.promoted).add(value)

    def _held(self, value: Value) -> str:
        if value.op == "call":
            signature = self.signatures.get(value.attr)
            return "borrowed" if signature and signature.borrowed_result else "owned"
        if value.op == "global.load":
            return "borrowed"
        return OPS[value.op].result_is

    def _stays(self, block: Block, start: int, value: Value) -> bool:
        """Whether nothing may free a borrowed value before its last use, and none takes it over.

        Aliases of it count as uses of it.
        """
        if not value.args:  # a global may be assigned by anyone
            return False
        names = {value}
        pending = False  # something that may free has happened since
        for later in block.code[start + 1 :]:
            uses = any(arg in names for arg in later.args)
            if uses:
                if pending:
                    return False
                if any(later.args[number] in names for number in self._taken(later)):
                    return False
                if later.op in _ALIASES and later.type.is_counted:
                    names.add(later)
            if OPS[later.op].effect in _MAY_FREE:
                pending = value.op not in _ALIASES
        return True

    def _taken(self, value: Value) -> Collection[int]:
        """Return the numbers of the arguments whose reference an instruction takes over."""
        if value.op in _ALIASES:
            return (0,) if value in self.taking else ()
        return consumed(value, self.signatures)

    # Liveness

    def _find_liveness(self) -> None:
        uses, defines = {}, {}
        for block in self.function.blocks:
            used, defined = self._summary(block)
            uses[block], defines[block] = used, defined
            self.live_in[block] = used
        changed = True
        while changed:
            changed = False
            for block in reversed(self.function.blocks):
                live = self._live_out(block) - defines[block] | uses[block]
                if live != self.live_in[block]:
                    self.live_in[block] = live
                    changed = True

    def _summary(self, block: Block) -> tuple[set[Value], set[Value]]:
        """Return the owned values that a block needs from before, and those it defines."""
        used: set[Value] = set()
        defined = set(block.params)
        for value in block.code:
            used.update(arg for arg in map(self._root, value.args) if arg not in defined)
            defined.add(value)
        used.update(arg for arg in map(self._root, _end_values(block)) if arg not in defined)
        return {value for value in used if value in self.owned}, defined

    def _root(self, value: Value) -> Value:
        """Return what must live while a value is used."""
        while value in self.roots:
            value = self.roots[value]
        return value

    def _live_out(self, block: Block) -> set[Value]:
        live: set[Value] = set()
        for target in block.targets:
            live |= self.live_in[target]
        return live

    # Insertion

    def _count(self, block: Block) -> None:
        code: list[Value] = []  # backwards
        live = self._live_out(block)
        self._count_end(block, code, live)
        for value in reversed(block.code):
            self._count_value(value, code, live)
        # What dies on the edge into this block: alive at the end of the one before, not here.
        dying = self._dying_at_entry(block)
        dying += [p for p in block.params if p in self.owned and p not in live]
        code += [_release(value) for value in reversed(dying)]
        block.code = code[::-1]

    def _count_value(self, value: Value, code: list[Value], live: set[Value]) -> None:
        if value in self.owned and value not in live:
            code.append(_release(value))
        live.discard(value)
        taken = self._taken(value)
        after: list[Value] = []
        before: list[Value] = []
        moved: set[Value] = set()
        for number, arg in enumerate(value.args):
            if number not in taken or not _is_counted(arg):
                continue
            if arg in self.owned and arg not in live and arg not in moved:
                moved.add(arg)
            else:
                before.append(_retain(arg))
        after += [
            _release(arg)
            for arg in dict.fromkeys(map(self._root, value.args))
            if arg in self.owned and arg not in live and arg not in moved
        ]
        live.update(arg for arg in map(self._root, value.args) if arg in self.owned)
        if value in self.promoted:
            after.insert(0, _retain(value))
        code += after[::-1]
        code.append(value)
        code += before[::-1]

    def _count_end(self, block: Block, code: list[Value], live: set[Value]) -> None:
        args = _end_values(block) if isinstance(block.end, (Jump, Return)) else []
        before = []
        moved: set[Value] = set()
        for arg in args:
            if not _is_counted(arg):
                continue
            if arg in self.owned and arg not in live and arg not in moved:
                moved.add(arg)
            else:
                before.append(_retain(arg))
        live.update(arg for arg in map(self._root, args) if arg in self.owned)
        code += before[::-1]

    def _dying_at_entry(self, block: Block) -> list[Value]:
        """Return what the only predecessor of a branch's target keeps alive for the other side."""
        source = self.branched.get(block)
        if source is None:
            return []
        return sorted(self._live_out(source) - self.live_in[block], key=self.order.__getitem__)


def _end_values(block: Block) -> list[Value]:
    match block.end:
        case Jump(args=args):
            return args
        case Branch(condition=condition):
            return [condition]
        case Return(value=value) if value is not None:
            return [value]
        case _:
            return []


def _is_counted(value: Value) -> bool:
    return value.type.is_counted and value.op != "null"


def _retain(value: Value) -> Value:
    return Value("retain", (value,), VOID)


def _release(value: Value) -> Value:
    return Value("release", (value,), VOID)
