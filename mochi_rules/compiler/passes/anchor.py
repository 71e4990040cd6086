"""Keeps loop-invariant computations out of loops.

Cranelift places a pure computation as late as it can, and lifts it out of a loop only where the
loop's first block uses it; so what a loop uses elsewhere would be computed in every iteration.
An anchor is a side effect of the value, a store to memory that nobody reads, and pins it in place.

Requires that no later pass moves instructions. Adds one store for each value that costs more than
the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Value
from mochi_rules.compiler.ir.types import FLOAT, INT, VOID

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Function
    from mochi_rules.compiler.passes.context import Context

WORTH = 3  # the least cost that is worth an anchor
_DEEPEST = 8  # operations that are looked through
# The cost of pure operations, in cycles, roughly. Others stay where they are.
_COSTS = {
    **dict.fromkeys(("add", "sub", "neg", "and", "or", "xor", "shl", "shr", "shr_u", "not"), 1),
    **dict.fromkeys(("add.checked", "sub.checked", "eq", "ne", "lt", "le", "gt", "ge"), 1),
    **dict.fromkeys(("mul", "mul.checked", "select", "float.of_int", "int.of_float"), 3),
    **dict.fromkeys(("abs", "floor", "ceil", "trunc", "nearest"), 3),
    **dict.fromkeys(("div", "div.checked", "rem", "div_u", "rem_u", "sqrt"), 9),
}


def anchor(function: Function, context: Context) -> None:
    """Anchor what loops use and do not compute."""
    facts = context.facts(function)
    if not facts.flow.headers:
        return
    deeper = _values_from_outside(facts)
    for block in facts.flow.blocks:
        code: list[Value] = []
        for value in block.code:
            code.append(value)
            if value in deeper and _cost(value, _DEEPEST) >= WORTH:
                code.append(Value("anchor", (value,), VOID))
        block.code = code
    facts.forget_uses()


def _values_from_outside(facts: Facts) -> set[Value]:
    """Return what loops use and do not compute, except for uses in their first blocks."""
    found: set[Value] = set()
    for header, body in facts.flow.loops.items():
        for block in body - {header}:
            used = [arg for value in block.code for arg in value.args]
            for arg in (*used, *block.end_operands):
                if arg.op in _COSTS and facts.homes[arg] not in body:
                    found.add(arg)
    return found


def _cost(value: Value, depth: int) -> int:
    """Return what it costs to compute a value again, with its operands."""
    cost = _COSTS.get(value.op, 0)
    if not cost or not depth or value.type not in (INT, FLOAT):
        return 0
    if value.type is FLOAT:
        cost = max(cost, WORTH)
    return cost + sum(_cost(arg, depth - 1) for arg in value.args)
