"""Gives innermost loops copies of the values that live across calls around them.

Cranelift's register allocator cuts the range of such a value at the calls, and what is left of it
in a loop without calls may be read from the stack in every iteration. A copy in front of the loop
has a range of its own. Cranelift must not know that the two are equal, so a copy is the sum of the
value and a 0 from memory; and it must not compute the sum in the loop, so the copy is anchored.

Requires that references are counted: what frees an object may call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Value, effects_of
from mochi_rules.compiler.ir.ops import CONSTANTS, OUTSIDE
from mochi_rules.compiler.ir.types import FLOAT, VOID

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Block, Function
    from mochi_rules.compiler.passes.context import Context

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
    return found


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
