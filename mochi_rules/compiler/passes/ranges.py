"""Drops checks that cannot fail, and makes the others cheaper by what is known of operands.

Requires nothing; finds more after inlining and value numbering have made more constant. Leaves
checks of indices and divisors that are `known`, plain arithmetic where nothing overflows,
unsigned division where nothing is negative, and the attributes of lower/overflow.py elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import INT
from mochi_rules.compiler.passes.bounds import LEAST, MOST, Bounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Function, Value
    from mochi_rules.compiler.passes.context import Context
    from mochi_rules.compiler.passes.known import Place

    Rule = Callable[[Bounds, Value, Place], None]


_SMALL = 2**31  # a factor that leaves enough room for the other one


def drop_checks(function: Function, context: Context) -> None:
    """Simplify the checks of a function in place; no value or block goes."""
    if not any(value.op in RULES for block in function.blocks for value in block.code):
        return
    bounds = Bounds(context.facts(function))
    for block in bounds.flow.blocks:
        for position, value in enumerate(block.code):
            rule = RULES.get(value.op)
            if rule is not None:
                rule(bounds, value, (block, position))


def _index(bounds: Bounds, value: Value, place: Place) -> None:
    index, length = value.args
    if index.op == "const" and index.attr < 0:
        return
    if value.op == "check.index" and bounds.least(index, place) < 0:
        return
    value.op = "check.upper"
    if bounds.is_below(index, length, place):
        value.op, value.attr = "index.known", None


def _nonzero(bounds: Bounds, value: Value, place: Place) -> None:
    [number] = value.args
    if number.op == "float.of_int":  # an int above 0 is not rounded to 0
        [number] = number.args
    if number.type is INT and bounds.is_nonzero(number, place):
        value.op = "nonzero.known"


def _add(bounds: Bounds, value: Value, place: Place) -> None:
    _sum(bounds, value, place, 1)


def _sub(bounds: Bounds, value: Value, place: Place) -> None:
    _sum(bounds, value, place, -1)


def _sum(bounds: Bounds, value: Value, place: Place, sign: int) -> None:
    """Test whether a sum, or with sign -1 a difference, stays below and above the limits."""
    a, b = value.args
    least = bounds.least(a, place) - bounds.most(b, place, -sign)
    most = bounds.most(a, place) + bounds.most(b, place, sign)
    if least >= LEAST and most <= MOST:
        _never_wraps(bounds, value)
        return
    if sign > 0 and a.op != "const" and _side(bounds, b, place) is None and _side(bounds, a, place):
        value.args = a, b = b, a
    side = _side(bounds, b, place)
    if side is not None:
        value.attr = side if sign > 0 else {"up": "down", "down": "up"}[side]


def _never_wraps(bounds: Bounds, value: Value) -> None:
    if value.op.endswith(".wraps"):
        value.op, value.args, value.attr = "const", (), 0
    else:
        bounds.found[value] = 0, True, 0
        value.op, value.attr = value.op.removesuffix(".checked"), None


def _side(bounds: Bounds, operand: Value, place: Place) -> str | None:
    """Return the direction in which adding an operand moves, if it is known."""
    if bounds.least(operand, place) >= 0:
        return "up"
    return "down" if bounds.most(operand, place) <= 0 else None


def _mul(bounds: Bounds, value: Value, place: Place) -> None:
    corners = bounds.corners(value, place)
    if min(corners) >= LEAST and max(corners) <= MOST:
        _never_wraps(bounds, value)
        return
    a, b = value.args
    magnitude, operands = min(
        (_magnitude(bounds, b, place), value.args), (_magnitude(bounds, a, place), (b, a)),
        key=lambda pair: pair[0],
    )  # fmt: skip
    if 0 < magnitude < _SMALL and "const" not in (a.op, b.op):
        is_natural = bounds.least(operands[0], place) >= 0
        value.args, value.attr = operands, (magnitude, "natural") if is_natural else (magnitude,)
    elif all(bounds.least(arg, place) >= 0 for arg in value.args):
        value.attr = "natural"


def _magnitude(bounds: Bounds, operand: Value, place: Place) -> int:
    return max(-bounds.least(operand, place), bounds.most(operand, place))


def _divide(bounds: Bounds, value: Value, place: Place) -> None:
    """Divide as unsigned where nothing is negative: without a correction of the result.

    Only the least int divided by -1 is out of range.
    """
    if value.type is not INT:
        return
    a, b = value.args
    least, divisor = bounds.least(a, place), bounds.least(b, place)
    if least > LEAST or divisor >= 0 or bounds.most(b, place) < -1:
        value.op = value.op.removesuffix(".checked")
    if least >= 0 and divisor >= 0:
        value.op += "_u"


RULES: dict[str, Rule] = {
    "check.index": _index, "check.upper": _index, "check.nonzero": _nonzero,
    "div": _divide, "div.checked": _divide, "rem": _divide,
    "add.checked": _add, "sub.checked": _sub, "mul.checked": _mul,
    "add.wraps": _add, "mul.wraps": _mul,
}  # fmt: skip
