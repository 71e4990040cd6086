"""Gives innermost loops copies of the values that live across calls around them.

Cranelift's register allocator cuts the range of such a value at the calls, and what is left of it
in a loop without calls may be read from the stack in every iteration. A copy in front of the loop
has a range of its own. Cranelift must not know that the two are equal, so a copy is the sum of the
value and a 0 from memory; and it must not compute the sum in the loop, so the copy is anchored.
That takes as long as some iterations: a loop that has only few by its bounds gets none.

Requires that references are counted: what frees an object may call.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Branch, Jump, Value, effects_of
from mochi_rules.compiler.ir.ops import CONSTANTS, OUTSIDE
from mochi_rules.compiler.ir.types import FLOAT, VOID

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Block, Function
    from mochi_rules.compiler.passes.context import Context

    _Sum = tuple[Value | None, int]

_FEW = 12  # iterations that copies do not pay for
_CALLING = ("string.", "map.", "any.", "mem.")  # how the names of operations begin that may call


def localize(function: Function, context: Context) -> None:
    """Copy in front of the innermost loops of a function what they use from outside."""
    facts = context.facts(function)
    if not facts.flow.headers:
        return
    for header, calling in _loops(facts):
        _copy(facts, header, calling)
    facts.forget_uses()


def _loops(facts: Facts) -> list[tuple[Block, Block]]:
    """Return the loops without calls, and the innermost loop around each that has some."""
    flow = facts.flow
    calls = {block for block in flow.blocks if any(map(_may_call, block.code))}
    found = []
    around: dict[Block, Block] = {}
    for header, body in flow.loops.items():
        if body & calls:
            around.update(dict.fromkeys(body, header))
        elif header in around and header in flow.innermost and flow.entry_of(header):
            found.append((header, around[header]))
    return [(header, calling) for header, calling in found if not _is_short(facts, header)]


def _is_short(facts: Facts, header: Block) -> bool:
    """Whether what counts a loop begins near what it is compared with to end the loop."""
    body = facts.flow.loops[header]
    firsts = _firsts(facts, header)
    for block in body if firsts else ():
        if isinstance(block.end, Branch) and not body.issuperset(block.targets):
            for value, limit in permutations(block.end.condition.args, 2):
                base, _ = _split(value)
                if base in firsts and _is_near(_split(firsts[base]), _split(limit)):
                    return True
    return False


def _firsts(facts: Facts, header: Block) -> dict[Value | None, Value]:
    """Return the parameters of a loop that move by constants, with their first values."""
    firsts: dict[Value | None, Value] = {}
    moving = set(header.params)
    for source in facts.flow.predecessors[header]:
        assert isinstance(source.end, Jump)
        passed = [*zip(header.params, source.end.args, strict=True)]
        if source in facts.flow.loops[header]:
            moving.intersection_update(p for p, arg in passed if _split(arg)[0] is p is not arg)
        else:
            firsts |= passed
    return {param: firsts[param] for param in moving}


def _is_near(one: _Sum, other: _Sum) -> bool:
    return one[0] is other[0] and abs(one[1] - other[1]) <= _FEW


def _split(value: Value) -> _Sum:
    """Return a value without the constants that are added to it, and their sum."""
    total = 0
    while value.op != "const":
        op = value.op.removesuffix(".checked")
        if op not in ("add", "sub") or value.args[1].op != "const":
            return value, total
        total += value.args[1].attr if op == "add" else -value.args[1].attr
        value = value.args[0]
    return None, total + value.attr


def _may_call(value: Value) -> bool:
    effects = effects_of(value)
    does = effects.allocates or effects.frees or effects.writes & OUTSIDE
    return bool(does) or value.op.startswith(_CALLING)


def _copy(facts: Facts, header: Block, calling: Block) -> None:
    """Copy in front of a loop what lives across the calls of the loop around it."""
    flow = facts.flow
    entry, body, around = flow.entry_of(header), flow.loops[header], flow.loops[calling]
    assert entry is not None
    blocks = flow.in_order(body)
    copies: dict[Value, Value] = {}
    for value in (value for block in blocks for value in _used(block)):
        home = facts.homes[value]
        if home in body or value.op in CONSTANTS or value.type is FLOAT:
            continue
        if home not in around or any(facts.home_of(user) not in body for user in facts.uses[value]):
            copies.setdefault(value, Value("copy", (value,), value.type))
    entry.code += copies.values()
    entry.code += (Value("anchor", (copy,), VOID) for copy in copies.values())
    for block in blocks:
        block.rename_operands(copies, lambda value: copies.get(value, value))


def _used(block: Block) -> list[Value]:
    return [*(arg for value in block.code for arg in value.args), *block.end_operands]
