"""Computes nothing twice: value numbering over the dominator tree.

An instruction that another one dominates, with equal operands and nothing written in between of
what it reads, is that other one: arithmetic, loads, and checks, which leave no value. What was
stored is what the next load returns. A condition is known in the blocks that a branch on it leads
to. Constants are folded along the way, so a branch may become a jump; a parameter of a block that
is passed the same value on all edges is that value. Stores that exchange two elements become a
swap.

Requires nothing. Leaves unreachable blocks to `tidy`.
"""

from __future__ import annotations

import struct
from itertools import count
from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.ir.function import Branch, Jump, Value, int_constant
from mochi_rules.compiler.ir.ops import ELEMENTS
from mochi_rules.compiler.ir.types import BOOL, FLOAT, WORD
from mochi_rules.compiler.passes.fold import INVERSE, NOTHING, fold
from mochi_rules.compiler.passes.memory_state import Writes, read_places, written_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mochi_rules.compiler.ir.function import Block, Function
    from mochi_rules.compiler.ir.types import Type
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.memory_state import Place

_COUNTING = frozenset({"retain", "release"})
# The load that returns what a store has as its last argument.
_LOAD_OF = {"list.store": "list.load", "field.store": "field.load", "cell.store": "cell.load",
            "global.store": "global.load"}  # fmt: skip
_SAME = frozenset({"check.upper", "index.known", "check.nonzero", "nonzero.known"})
_MANY = 8  # parts of a new object that are remembered


def number_values(function: Function, context: Context) -> None:
    """Replace what was computed before by its value."""
    numbering = _Numbering(function, context)
    numbering.run()
    facts = context.facts(function)
    if numbering.has_new_ends:
        facts.forget_flow()
    else:
        facts.forget_uses()


class _Numbering:
    def __init__(self, function: Function, context: Context) -> None:
        self.function = function
        self.effects = context.effects
        self.flow = context.facts(function).flow
        self.writes = Writes(self.flow, self.effects)
        self.versions = count(1)
        self.leaders: dict[Value, Value] = {}
        self.table: dict[Any, Any] = {}  # values by key, and versions by place
        self.added: list[tuple[Any, Any]] = []  # keys, and what they had before
        self.dead: set[Block] = set()  # unreachable now
        self.has_new_ends = False
        self.constants: dict[Value, Block] = {}  # known, and where
        self.used: dict[Value, None] = {}  # those of them
        self.half: tuple[Value, Value, Value] | None = None  # see _begin_swap

    def run(self) -> None:
        """Number every block below its dominator, forgetting what only holds there."""
        stack: list[Block | int] = [self.function.entry]
        while stack:
            item = stack.pop()
            if isinstance(item, int):
                self._forget(item)
                continue
            block, below = item, self.flow.dominated[item]
            if not self._is_reached(block):
                self.dead.update((block, *below))
            stack.append(len(self.added))
            self._write(self.writes.before(block))
            if block not in self.dead:
                self._number_block(block)
            stack += reversed(below)
        reached = set(self.flow.blocks) - self.dead
        self.function.blocks = [block for block in self.function.blocks if block in reached]
        for constant in self.used:
            self.constants[constant].code.insert(0, constant)

    def _is_reached(self, block: Block) -> bool:
        if block in self.dead or block is self.function.entry:
            return block not in self.dead
        sources = self.flow.predecessors[block]
        return any(s not in self.dead and not self.flow.is_back_edge(s, block) for s in sources)

    def _forget(self, mark: int) -> None:
        while len(self.added) > mark:
            key, before = self.added.pop()
            if before is None:
                del self.table[key]
            else:
                self.table[key] = before

    def _remember(self, key: Any, value: Any) -> None:
        self.added.append((key, self.table.get(key)))
        self.table[key] = value

    def _write(self, places: Iterable[Place]) -> None:
        for place in places:
            self._remember(place, next(self.versions))

    def _leader(self, value: Value) -> Value:
        while value in self.leaders:
            value = self.leaders[value]
        return value

    def _known(self, value: Value) -> Value:
        """Return the leader of a value, or the constant that it is known to be here."""
        leader = self._leader(value)
        found: Value = self.table.get(leader, leader)
        if found in self.constants:
            self.used[found] = None
        return found

    def _number_block(self, block: Block) -> None:
        self._assume(block)
        self._merge_params(block)
        code: list[Value] = []
        self.half = None
        for value in block.code:
            value.args = tuple(map(self._known, value.args))
            if value.op == "list.store" and value.args[2].type.is_counted:
                self._find_swap(value, code)
            found = fold(value) or self._number(value)
            if isinstance(found, Value):
                self.leaders[value] = found
            elif found is None:
                code.append(value)
        block.code = code
        block.rename_end_operands(self._known)
        if isinstance(block.end, Branch):
            self._decide(block, block.end)

    # What control flow says

    def _assume(self, block: Block) -> None:
        """Learn from the branch that leads here."""
        sources = self.flow.predecessors[block]
        end = sources[0].end if len(sources) == 1 else None
        if isinstance(end, Branch):
            self._learn(block, self._leader(end.condition), holds=end.then is block)

    def _learn(self, block: Block, condition: Value, *, holds: bool) -> None:
        self._set(block, condition, BOOL, int(holds))
        if condition.op in INVERSE and condition.args[0].type is not FLOAT:
            inverse = Value(INVERSE[condition.op], condition.args, BOOL)
            key = self._key(inverse)
            found = self.table.get(key, inverse)
            self._remember(key, self._set(block, found, BOOL, int(not holds)))
        match condition.op:
            case "not":
                self._learn(block, condition.args[0], holds=not holds)
            case "eq" | "ne" if holds is (condition.op == "eq"):
                left, right = condition.args
                if right.op == "const" and right.type is not FLOAT:
                    self._set(block, left, right.type, right.attr)

    def _set(self, block: Block, value: Value, type_: Type, attr: int) -> Value:
        constant = Value("const", (), type_, attr)
        self.constants[constant] = block
        self._remember(value, constant)
        return constant

    def _decide(self, block: Block, end: Branch) -> None:
        """End a block with the simplest branch, or none."""
        condition = end.condition
        self.has_new_ends |= condition.op in ("const", "not")
        if condition.op == "const":
            taken, other = (end.then, end.otherwise)[:: 1 if condition.attr else -1]
            block.end = Jump(taken)
            self.dead.add(other)
        elif condition.op == "not":
            likely = None if end.likely is None else not end.likely
            block.end = Branch(condition.args[0], end.otherwise, end.then, likely)

    def _merge_params(self, block: Block) -> None:
        """Replace parameters that have one value on every edge; back edges may pass themselves."""
        if not block.params:
            return
        sources = self.flow.predecessors[block]
        ends = [source.end for source in sources if isinstance(source.end, Jump)]
        lively = [source.end for source in sources if source not in self.dead]
        dropped = set()
        for at, param in enumerate(block.params):
            values = [self._leader(end.args[at]) for end in lively if isinstance(end, Jump)]
            # A check of one way does not dominate the block, whatever it is called.
            names = {
                _name(value) if value.op == "const" else value: value
                for value in values if value is not param
            }  # fmt: skip
            if len(names) != 1:
                continue
            [value] = names.values()
            if value.op == "const":
                self.leaders[param] = Value("const", (), value.type, value.attr)
                self.constants[self.leaders[param]] = block
                self.used[self.leaders[param]] = None
            else:
                self.leaders[param] = value
            dropped.add(at)
        if dropped:
            block.params = [p for at, p in enumerate(block.params) if at not in dropped]
            for end in ends:
                end.args = [arg for at, arg in enumerate(end.args) if at not in dropped]

    # What instructions say

    def _number(self, value: Value) -> Value | object | None:
        """Return the earlier instruction that an instruction equals; else remember it."""
        if value.op == "map.insert" and (entry := self._entry_found(value)):
            return entry
        effects = self.effects(value)
        if effects.writes or effects.frees or effects.allocates or value.op in _COUNTING:
            self._write(written_places(value, effects))
            for load, part in _parts(value):
                self._remember(self._key(load), part)
            return None
        key = self._key(value)
        found = self.table.get(key)
        if found is None:
            self._remember(key, value)
            return None
        return found if value.has_result else NOTHING

    def _find_swap(self, store: Value, code: list[Value]) -> None:
        """Make a store a swap that ends one; else note whether it may begin one."""
        if self.half is None or not self._end_swap(store, code, *self.half):
            self._begin_swap(store)
        else:
            self.half = None

    def _begin_swap(self, store: Value) -> None:
        """Note a store of what the list has elsewhere, with that place and what it replaces."""
        xs, index, item = store.args
        self.half = None
        if item.op == "list.load" and item.args[0] is xs and self._loaded(xs, item.args[1]) is item:
            replaced = self._loaded(xs, index)
            if replaced is not None:
                self.half = store, item.args[1], replaced

    def _loaded(self, xs: Value, index: Value) -> Value | None:
        """Return what an element is known to be."""
        element = xs.type.element  # type: ignore[attr-defined]
        found: Value | None = self.table.get(self._key(Value("list.load", (xs, index), element)))
        return found

    def _end_swap(
        self, store: Value, code: list[Value], first: Value, place: Value, replaced: Value
    ) -> bool:  # fmt: skip
        """Make a store that ends the exchange which the one before began the whole of it."""
        xs, index, item = store.args
        if first.args[0] is not xs or item is not replaced or _name(index) != _name(place):
            return False
        start = code.index(first)
        for value in code[start + 1 :]:
            effects = self.effects(value)
            if effects.writes or effects.allocates or effects.frees or effects.reads & ELEMENTS:
                return False
        del code[start]
        store.op, store.args = "list.swap", (xs, first.args[1], index)
        return True

    def _entry_found(self, insert: Value) -> Value | None:
        """Return the entry that a map is known to have for a key."""
        entry: Value | None = self.table.get(self._key(Value("map.find", insert.args, WORD)))
        if entry is None:
            return None
        checked: Value | None = self.table.get(self._key(Value("check.some", (entry,), WORD)))
        if checked is not None:
            return checked
        missing = Value("eq", (entry, Value("const", (), WORD, 0)), BOOL)
        found = self.table.get(self._key(missing))
        known = self.table.get(found, found)
        return entry if known in self.constants and not known.attr else None

    def _key(self, value: Value) -> Any:
        if value.op == "const":
            return _name(value)
        args = tuple(map(_name, value.args))
        attr = value.site if value.op == "site" else value.attr
        read = [self.table.get(place, 0) for place in read_places(value, self.effects(value))]
        return value.op, args, attr, value.type, tuple(read)


def _name(value: Value) -> Any:
    """Return what an operand is called in a key: a constant by what it is.

    What passed a check is called as before.
    """
    while value.op in _SAME:
        value = value.args[0]
    if value.op != "const":
        return value
    attr = struct.pack("<d", value.attr) if value.type is FLOAT else int(value.attr)
    return value.type, attr


def _parts(value: Value) -> Iterator[tuple[Value, Value]]:
    """Return what loads return after an instruction: what it stored, or made an object of."""
    if value.op in _LOAD_OF:
        *place, last = value.args
        yield Value(_LOAD_OF[value.op], tuple(place), last.type, value.attr), last
    elif value.op == "cell.new":
        yield Value("cell.load", (value,), value.args[0].type), value.args[0]
    elif value.op in ("list.new", "struct.new", "closure.new"):
        types = tuple(arg.type for arg in value.args)
        for at, arg in enumerate(value.args[:_MANY]):
            match value.op:
                case "list.new":
                    index = int_constant(at)
                    yield Value("list.load", (value, index), arg.type), arg
                case "struct.new":
                    yield Value("field.load", (value,), arg.type, (value.attr, at)), arg
                case _:
                    yield Value("closure.load", (value,), arg.type, (at, types)), arg
