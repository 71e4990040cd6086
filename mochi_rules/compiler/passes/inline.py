"""Inlines functions.

Callees come before their callers, so their bodies are final. A function is inlined where
it is small, in a loop where it is not large, and wherever it has the only call of it. A function
value that is made in the caller, and called there after inlining, becomes a call of its function.
A small function that calls itself gets copies of itself to a depth, and below them copies of its
start: where it returns at once, as in half of a tree of calls, nothing is called.

Requires that no references are counted yet. Removes functions that are not called any more; the
parameters of a callee become the arguments, so what depends on them folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.clone import copy_blocks, copy_function
from mochi_rules.compiler.ir.facts import substitute
from mochi_rules.compiler.ir.function import Block, Branch, Jump, Return, Value, effects_of
from mochi_rules.compiler.ir.ops import BYTES, KEYS
from mochi_rules.compiler.ir.types import VOID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.ir.function import Function, Program
    from mochi_rules.compiler.passes.context import Context

# In instructions and blocks; constants do not count.
SMALL = 14  # is inlined everywhere
MEDIUM = 48  # is inlined in loops
LARGE = 200  # is inlined where it has one caller
FULL = 2000  # a caller takes no more
RECURSIVE = 120  # the most that copies of itself make of a function
DEPTH = 4  # of those copies: each has copies for its own calls
START = 6  # the most that is computed in front of a call and again in the function

_NAMING = frozenset({"call", "closure.new", "symbol"})  # operations whose attribute is a function
_FREE = frozenset({"const", "null", "string", "site", "address", "symbol"})


def inline(context: Context) -> None:
    """Inline throughout a program."""
    if context.program is not None:
        _Inliner(context, context.program).run()


class _Inliner:
    def __init__(self, context: Context, program: Program) -> None:
        self.context = context
        self.program = program
        self.functions = program.functions
        self.sizes = {name: _size(one.blocks) for name, one in self.functions.items()}
        self.mentions = dict.fromkeys(program.entries, 1)  # from outside
        for function in self.functions.values():
            for value in _naming(function):
                self.mentions[value.attr] = self.mentions.get(value.attr, 0) + 1

    def run(self) -> None:
        """Inline into every function, callees first."""
        order = self._callees_first()
        place = {name: at for at, name in enumerate(order)}
        self.recursive = {  # they call themselves, or functions after them
            name for name in order if any(place[c] >= place[name] for c in self._callees(name))
        }  # fmt: skip
        for name in order:
            function = self.functions[name]
            if self._inline_into(function) | self._unroll(function):
                self.context.facts(function).forget_flow()
        reached = set(self._callees_first())
        for name in [name for name in self.functions if name not in reached]:
            del self.functions[name]

    def _callees_first(self) -> list[str]:
        """Return the functions that the program reaches."""
        found: list[str] = []
        seen: set[str] = set()
        for entry in self.program.entries:
            if entry not in seen:
                seen.add(entry)
                self._add_callees_first(entry, seen, found)
        return found

    def _add_callees_first(self, entry: str, seen: set[str], found: list[str]) -> None:
        stack = [(entry, self._callees(entry))]
        while stack:
            name, callees = stack[-1]
            for callee in callees:
                if callee not in seen:
                    seen.add(callee)
                    stack.append((callee, self._callees(callee)))
                    break
            else:
                found.append(name)
                stack.pop()

    def _callees(self, name: str) -> Iterator[str]:
        for value in _naming(self.functions[name]):
            if value.attr in self.functions:
                yield value.attr

    # One function

    def _inline_into(self, function: Function) -> bool:
        flow = self.context.facts(function).flow
        looped = {block for body in flow.loops.values() for block in body}
        work = [(block, block in looped) for block in function.blocks]
        work.reverse()
        size = self.sizes[function.name]
        blocks: list[Block] = []
        results: dict[Value, Value] = {}
        moved: list[Block] = []  # which have had their calls inlined
        while work:
            block, is_looped = work.pop()
            blocks.append(block)
            at = self._find(block, is_looped=is_looped, size=size)
            if at is not None:
                callee = self.functions[block.code[at].attr]
                size += self.sizes[callee.name]
                if self._is_last(callee, block.code[at]):
                    work.append((_move(block, at, callee, results), is_looped))
                    moved += callee.blocks
                else:
                    self._count(callee)
                    new = _expand(block, at, callee.blocks, callee.params, results)
                    work += [(one, is_looped) for one in reversed(new)]
        is_changed = len(blocks) + len(moved) > len(function.blocks)
        function.blocks = blocks
        substitute(function, results)
        function.blocks += moved
        self.sizes[function.name] = size
        return is_changed

    def _is_last(self, callee: Function, call: Value) -> bool:
        """Whether nothing else calls a function, and there is nothing to find in it again."""
        is_known = any(arg.op == "closure.new" for arg in call.args)
        return self.mentions[callee.name] == 1 and not is_known

    def _count(self, callee: Function) -> None:
        """Count the mentions that a copy of a function makes; the last one is not a copy."""
        if self.mentions[callee.name] > 1:
            self.mentions[callee.name] -= 1
            for value in _naming(callee):
                self.mentions[value.attr] += 1

    def _find(self, block: Block, *, is_looped: bool, size: int) -> int | None:
        """Return where a block has a call to inline."""
        for at, value in enumerate(block.code):
            if value.op == "closure.call" and value.args[0].op == "closure.new":
                value.op, value.attr = "call", value.args[0].attr
                self.mentions[value.attr] += 1
            if value.op == "call" and self._fits(value.attr, size, is_looped=is_looped):
                return at
        return None

    def _fits(self, name: str, caller: int, *, is_looped: bool) -> bool:
        if name not in self.functions or name in self.recursive:
            return False
        size = self.sizes[name]
        limit = MEDIUM if is_looped else SMALL
        if self.mentions[name] == 1:
            limit = LARGE
        return size <= limit and caller + size <= FULL

    def _unroll(self, function: Function) -> bool:
        """Inline a small function into itself, and its start into the calls that are left."""
        if function.name not in self.recursive:
            return False
        body = copy_function(function)
        own, before = _size(body), len(function.blocks)
        start = _start(function, body)
        for _ in range(DEPTH):
            calls = _own_calls(function)
            size = _size(function.blocks) + own * len(calls)
            if not calls or size > RECURSIVE:
                break
            _expand_all(function, calls, body)
        if start:
            _expand_all(function, _own_calls(function), start, start[-1].code[0])
        self.sizes[function.name] = _size(function.blocks)
        return len(function.blocks) > before


def _own_calls(function: Function) -> list[tuple[Block, Value]]:
    return [
        (block, value) for block in function.blocks for value in block.code
        if value.op == "call" and value.attr == function.name
    ]  # fmt: skip


def _expand_all(
    function: Function, calls: list[tuple[Block, Value]], body: list[Block],
    again: Value | None = None,
) -> None:  # fmt: skip
    """Put a body where a function calls itself; `again` is what does so there in the body."""
    results: dict[Value, Value] = {}
    for block, value in reversed(calls):
        if again:
            again.site = value.site
        place = function.blocks.index(block) + 1
        new = _expand(block, block.code.index(value), body, function.params, results)
        function.blocks[place:place] = new
    substitute(function, results)


def _start(function: Function, body: list[Block]) -> list[Block]:
    """Return the start of a function if it may return there; the last block calls the function."""
    entry = body[0]
    quick = [target for target in entry.targets if _returns_at_once(target)]
    is_cheap = len(entry.code) <= START and all(map(_is_cheap, entry.code))
    if not isinstance(entry.end, Branch) or len(quick) != 1 or not is_cheap:
        return []
    first, rest = Block(), Block()
    call = Value("call", tuple(function.params), function.result, function.name)
    rest.code, rest.end = [call], Return(None if function.result is VOID else call)
    then, otherwise = (target if target in quick else rest for target in entry.targets)
    first.code = entry.code
    first.end = Branch(entry.end.condition, then, otherwise, entry.end.likely)
    return [first, *quick, rest]


def _returns_at_once(block: Block) -> bool:
    return isinstance(block.end, Return) and all(value.op in _FREE for value in block.code)


def _is_cheap(value: Value) -> bool:
    """Whether an instruction may run twice, and costs little: it searches nothing."""
    effects = effects_of(value)
    return effects.is_removable and not effects.allocates and not effects.reads & (KEYS | BYTES)


def _expand(
    block: Block, at: int, body: list[Block], params: list[Value], results: dict[Value, Value]
) -> list[Block]:
    """Put a body where a block calls; return the new blocks, which follow it.

    `results` gets what stands for the result of the call.
    """
    call, rest = block.code[at], Block()
    rest.code, rest.end = block.code[at + 1 :], block.end
    if call.type is not VOID:
        results[call] = Value("param", (), call.type)
        rest.params = [results[call]]
    copies = copy_blocks(body, dict(zip(params, call.args, strict=True)), returns_to=rest)
    block.code, block.end = block.code[:at], Jump(copies[body[0]])
    return [*copies.values(), rest]


def _move(block: Block, at: int, callee: Function, results: dict[Value, Value]) -> Block:
    """Put the only copy of a body where a block calls; return the block of what follows."""
    call, rest = block.code[at], Block()
    rest.code, rest.end = block.code[at + 1 :], block.end
    if call.type is not VOID:
        results[call] = Value("param", (), call.type)
        rest.params = [results[call]]
    block.code = block.code[:at]
    callee.entry.params = callee.params
    block.end = Jump(callee.entry, list(call.args))
    for one in callee.blocks:
        if isinstance(one.end, Return):
            one.end = Jump(rest, list(one.end_operands))
    return rest


def _size(blocks: list[Block]) -> int:
    code = sum(value.op not in _FREE for block in blocks for value in block.code)
    return code + len(blocks)


def _naming(function: Function) -> Iterator[Value]:
    """Return the instructions that name a function."""
    return (value for block in function.blocks for value in block.code if value.op in _NAMING)
