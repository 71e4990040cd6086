"""Finds the int parameters that are never negative, because no caller passes anything else.

All of them are taken for natural at first; one to which some call may pass a negative number, seen
by itself with the others as they are, is not, and its function is looked at again. What is left is
natural by induction over the calls. Functions that are called through a value or from outside may
be passed anything.

Such a parameter becomes `natural.known` at once, for `ranges`: an index that is made of it counts
from the start. Gains most after `inline`, which leaves fewer calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Value, int_constant
from mochi_rules.compiler.ir.types import INT
from mochi_rules.compiler.passes.bounds import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.ir.function import Function
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.known import Place

_ADDRESSES = frozenset({"closure.new", "symbol"})  # what makes a value of a function


def find_naturals(context: Context) -> None:
    """Mark the parameters of a program's functions that are never negative."""
    naturals = _candidates(context)
    functions = context.functions
    callers = [f for f in functions.values() if any(v.attr in naturals for v, _ in _calls(f))]
    work = list(callers)
    while work:
        for name in _refuted(work.pop(), naturals, context):
            if functions[name] in callers and functions[name] not in work:
                work.append(functions[name])
    for name, numbers in naturals.items():
        _mark(functions[name], numbers, context)


def _candidates(context: Context) -> dict[str, set[int]]:
    """Return the numbers of the int parameters of the functions whose callers are known."""
    called: set[str] = set()
    hidden = set(context.program.entries) if context.program else set()
    for function in context.functions.values():
        for block in function.blocks:
            for value in block.code:
                if value.op == "call":
                    called.add(value.attr)
                elif value.op in _ADDRESSES:
                    hidden.add(value.attr)
    found = {
        name: {number for number, param in enumerate(function.params) if param.type is INT}
        for name, function in context.functions.items() if name in called - hidden
    }  # fmt: skip
    return {name: numbers for name, numbers in found.items() if numbers}


def _calls(function: Function) -> Iterator[tuple[Value, Place]]:
    for block in function.blocks:
        for position, value in enumerate(block.code):
            if value.op == "call":
                yield value, (block, position)


def _refuted(
    function: Function, naturals: dict[str, set[int]], context: Context
) -> dict[str, None]:  # fmt: skip
    """Drop the parameters to which a function may pass a negative number.

    Return the functions that have lost some.
    """
    bounds = Bounds(context.facts(function))
    for number in sorted(naturals.get(function.name, ())):
        bounds.suppose((function.entry, -1), int_constant(0), function.params[number], 0)
    lost: dict[str, None] = {}
    for call, place in _calls(function):
        numbers = naturals.get(call.attr, set())
        negative = {number for number in numbers if bounds.least(call.args[number], place) < 0}
        if negative:
            numbers -= negative
            lost[call.attr] = None
    return lost


def _mark(function: Function, numbers: set[int], context: Context) -> None:
    naturals = {
        function.params[number]: Value("natural.known", (function.params[number],), INT)
        for number in sorted(numbers)
    }
    if naturals:
        for block in function.blocks:
            block.rename_operands(naturals, lambda value: naturals.get(value, value))
        function.entry.code[:0] = naturals.values()
        context.facts(function).forget_uses()
