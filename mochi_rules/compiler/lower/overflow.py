"""Checked arithmetic in WebAssembly: the slow path stops the program and never returns.

A call that returns would have to save every float across it, in the middle of a loop. Knowledge
of the operands makes a check cheaper: a constant here, or the attribute of the instruction.

- add.checked, sub.checked: "up" or "down" is the only side on which the result can leave the range
- mul.checked: "natural" says that both operands are at least 0, a number that the magnitude of the
  second one is not above it, and "natural" behind the number that the first one is at least 0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.lower.slots import stop_if

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector

LEAST, MOST = -(2**63), 2**63 - 1


def _add(s: Selector, value: Value) -> None:
    left, right = value.args
    if s.const_of(left) is not None:
        left, right = right, left
    constant = s.const_of(right)
    side = value.attr if constant is None else _side(constant)
    _sum(s, value, (left, right), ("i64.add", side))


def _sub(s: Selector, value: Value) -> None:
    left, right = value.args
    constant = s.const_of(left)
    if constant is not None:
        _sub_from(s, value, constant)
        return
    constant = s.const_of(right)
    side = value.attr if constant is None else _side(-constant)
    _sum(s, value, (left, right), ("i64.sub", side))


def _side(change: int) -> str:
    return "up" if change >= 0 else "down"


def _sum(
    s: Selector, value: Value, operands: tuple[Value, Value], how: tuple[str, str | None]
) -> None:
    result = _sum_wraps(s, s.hold(operands[0]), s.hold(operands[1]), how)
    stop_if(s, "fail_overflow", value)
    s.raw("local.get", result)


def _sum_wraps(s: Selector, a: int, b: int, how: tuple[str, str | None]) -> int:
    """Push whether a sum wraps around; return the local that holds it.

    Compare the result with the left operand, or signs where nothing is known.
    """
    mnemonic, side = how
    s.raw("local.get", a)
    s.raw("local.get", b)
    s.raw(mnemonic)
    result = s.hold_top("i64")
    if side is not None:
        s.raw("local.get", result)
        s.raw("local.get", a)
        s.raw("i64.lt_s" if side == "up" else "i64.gt_s")
    else:
        # Overflow where the result differs in sign from a, and b does (sub) or does not (add).
        s.raw("local.get", a)
        s.raw("local.get", result)
        s.raw("i64.xor")
        s.raw("local.get", b)
        s.raw("local.get", a if mnemonic == "i64.sub" else result)
        s.raw("i64.xor")
        s.raw("i64.and")
        s.raw("i64.const", 0)
        s.raw("i64.lt_s")
    return result


def _add_wraps(s: Selector, value: Value) -> None:
    _sum_wraps(s, s.hold(value.args[0]), s.hold(value.args[1]), ("i64.add", value.attr))


def _sub_from(s: Selector, value: Value, constant: int) -> None:
    """Subtract from a constant: it overflows only for operands beyond another constant."""
    operand = s.hold(value.args[1])
    s.raw("local.get", operand)
    if constant >= 0:
        s.raw("i64.const", constant - MOST)
        s.raw("i64.lt_s")
    else:
        s.raw("i64.const", constant - LEAST)
        s.raw("i64.gt_s")
    stop_if(s, "fail_overflow", value)
    s.raw("i64.const", constant)
    s.raw("local.get", operand)
    s.raw("i64.sub")


def _div(s: Selector, value: Value) -> None:
    """Divide; only the least int divided by -1 is out of range."""
    a, b = s.hold(value.args[0]), s.hold(value.args[1])
    s.raw("local.get", a)
    s.raw("i64.const", LEAST)
    s.raw("i64.eq")
    s.raw("local.get", b)
    s.raw("i64.const", -1)
    s.raw("i64.eq")
    s.raw("i32.and")
    stop_if(s, "fail_overflow", value)
    s.raw("local.get", a)
    s.raw("local.get", b)
    s.raw("i64.div_s")


# Multiplication


def _mul(s: Selector, value: Value) -> None:
    left, right = value.args
    if s.const_of(left) is not None:
        left, right = right, left
    constant = s.const_of(right)
    if constant is None:
        _product(s, value)
    else:
        _multiple(s, value, left, constant)


def _multiple(s: Selector, value: Value, operand: Value, factor: int) -> None:
    """Multiply by a constant: the operand must lie between two others."""
    a = s.hold(operand)
    if abs(factor) > 1 or factor == -1:
        least, most = sorted((_quotient(LEAST, factor), _quotient(MOST, factor)))
        least, most = max(least, LEAST), min(most, MOST)
        s.raw("local.get", a)
        s.raw("i64.const", least)
        s.raw("i64.sub")
        s.raw("i64.const", _signed(most - least))
        s.raw("i64.gt_u")
        stop_if(s, "fail_overflow", value)
    s.raw("local.get", a)
    s.raw("i64.const", factor)
    s.raw("i64.mul")


def _quotient(a: int, b: int) -> int:
    """Divide towards zero."""
    return a // b if (a < 0) == (b < 0) else -(-a // b)


def _signed(number: int) -> int:
    return number - 2**64 if number > MOST else number


def _product(s: Selector, value: Value) -> None:
    """Multiply; test the product where an operand may not fit 32 bits, or less."""
    a, b = s.hold(value.args[0]), s.hold(value.args[1])
    s.raw("local.get", a)
    s.raw("local.get", b)
    s.raw("i64.mul")
    product = s.hold_top("i64")
    _is_large(s, value, a, b)
    s.raw("if", None)
    _is_wrong(s, a, b, product)
    stop_if(s, "fail_overflow", value)
    s.raw("end")
    s.raw("local.get", product)


def _mul_wraps(s: Selector, value: Value) -> None:
    a, b = s.hold(value.args[0]), s.hold(value.args[1])
    _is_large(s, value, a, b)
    if isinstance(value.attr, tuple):
        return
    s.raw("if", "i32")
    s.raw("local.get", a)
    s.raw("local.get", b)
    s.raw("i64.mul")
    _is_wrong(s, a, b, s.hold_top("i64"))
    s.raw("else")
    s.raw("i32.const", 0)
    s.raw("end")


def _is_large(s: Selector, value: Value, a: int, b: int) -> None:
    """Push whether a product may wrap around, by a look at its operands."""
    if isinstance(value.attr, tuple):
        room = MOST // value.attr[0]
        s.raw("local.get", a)
        s.raw("i64.const", room)
        if "natural" not in value.attr:
            s.raw("i64.add")
            s.raw("i64.const", _signed(2 * room))
        s.raw("i64.gt_u")
    else:
        _is_long(s, (a, b), is_natural=value.attr == "natural")


def _is_long(s: Selector, operands: tuple[int, int], *, is_natural: bool) -> None:
    """Push whether one of two operands does not fit 32 bits, or 31."""
    for operand in operands:
        s.raw("local.get", operand)
        if not is_natural:
            s.raw("i64.const", 2**31)
            s.raw("i64.add")
    s.raw("i64.or")
    s.raw("i64.const", 2**31 if is_natural else 2**32)
    s.raw("i64.ge_u")


def _is_wrong(s: Selector, a: int, b: int, product: int) -> None:
    """Push whether a product wrapped around: then it is off by 2**64 or more.

    The product of the floats is off by 2**12 at most where it did not.
    """
    for operand in (a, b):
        s.raw("local.get", operand)
        s.raw("f64.convert_i64_s")
    s.raw("f64.mul")
    s.raw("local.get", product)
    s.raw("f64.convert_i64_s")
    s.raw("f64.sub")
    s.raw("f64.abs")
    s.raw("f64.const", 2.0**62)
    s.raw("f64.gt")


HANDLERS: dict[str, Handler] = {
    "add.wraps": _add_wraps, "mul.wraps": _mul_wraps,
    "add.checked": _add, "sub.checked": _sub, "mul.checked": _mul, "div.checked": _div,
}  # fmt: skip
