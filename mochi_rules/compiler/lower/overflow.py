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
from mochi_rules.wasm.template import Template

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector

LEAST, MOST = -(2**63), 2**63 - 1

# Whether a sum wraps around, by its mnemonic and the side on which it can: it lies on the wrong
# side of $a then. Where nothing is known, it differs in sign from $a, and $b does (sub) or does
# not (add).
_ON_SIDE = "local.get $a  local.get $b  {}  local.tee $sum  local.get $a  {}"
_BY_SIGNS = """
    local.get $a  local.get $b  {}  local.set $sum
    local.get $a  local.get $sum  i64.xor
    local.get $b  local.get {}  i64.xor
    i64.and  i64.const 0  i64.lt_s"""
_SUMS = {
    ("i64.add", "up"): Template(_ON_SIDE.format("i64.add", "i64.lt_s")),
    ("i64.add", "down"): Template(_ON_SIDE.format("i64.add", "i64.gt_s")),
    ("i64.add", None): Template(_BY_SIGNS.format("i64.add", "$sum")),
    ("i64.sub", "up"): Template(_ON_SIDE.format("i64.sub", "i64.lt_s")),
    ("i64.sub", "down"): Template(_ON_SIDE.format("i64.sub", "i64.gt_s")),
    ("i64.sub", None): Template(_BY_SIGNS.format("i64.sub", "$a")),
}
_CHECKED_SUMS = {
    how: Template(f"""
        {template.text}
        if
            i32.const $site  call fail_overflow  unreachable
        end
        local.get $sum""")
    for how, template in _SUMS.items()
}
_IS_BELOW = Template("local.get $a i64.const $least i64.lt_s")
_IS_ABOVE = Template("local.get $a i64.const $most i64.gt_s")
_FROM_CONSTANT = Template("i64.const $constant local.get $a i64.sub")
_HAS_NO_QUOTIENT = Template(f"""
    local.get $a  i64.const {LEAST}  i64.eq
    local.get $b  i64.const -1  i64.eq
    i32.and""")
_QUOTIENT = Template("local.get $a local.get $b i64.div_s")
_IS_OUTSIDE = Template("local.get $a i64.const $least i64.sub i64.const $span i64.gt_u")
_TIMES = Template("local.get $a i64.const $factor i64.mul")
_PRODUCT = Template("local.get $a local.get $b i64.mul local.set $product")
_SPANS_MORE = Template("local.get $a i64.const $room i64.add i64.const $span i64.gt_u")
_IS_MORE = Template("local.get $a i64.const $room i64.gt_u")
# Whether one of two operands does not fit 32 bits, or 31.
_IS_LONG = Template(f"""
    local.get $a  i64.const {2**31}  i64.add
    local.get $b  i64.const {2**31}  i64.add
    i64.or  i64.const {2**32}  i64.ge_u""")
_IS_LONG_NATURAL = Template(f"local.get $a local.get $b i64.or i64.const {2**31} i64.ge_u")
# Whether a product wrapped around: then it is off by 2**64 or more. The product of the floats is
# off by 2**12 at most where it did not.
_IS_WRONG = Template(f"""
    local.get $a  f64.convert_i64_s  local.get $b  f64.convert_i64_s  f64.mul
    local.get $product  f64.convert_i64_s
    f64.sub  f64.abs  f64.const {2.0**62}  f64.gt""")


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
    a, b = s.hold(operands[0]), s.hold(operands[1])
    s.emit(_CHECKED_SUMS[how], a, b, s.new_local("i64"), s.packed(value.site))


def _add_wraps(s: Selector, value: Value) -> None:
    a, b = s.hold(value.args[0]), s.hold(value.args[1])
    s.emit(_SUMS["i64.add", value.attr], a, b, s.new_local("i64"))


def _sub_from(s: Selector, value: Value, constant: int) -> None:
    """Subtract from a constant: it overflows only for operands beyond another constant."""
    operand = s.hold(value.args[1])
    if constant >= 0:
        s.emit(_IS_BELOW, operand, constant - MOST)
    else:
        s.emit(_IS_ABOVE, operand, constant - LEAST)
    stop_if(s, "fail_overflow", value)
    s.emit(_FROM_CONSTANT, constant, operand)


def _div(s: Selector, value: Value) -> None:
    """Divide; only the least int divided by -1 is out of range."""
    a, b = s.hold(value.args[0]), s.hold(value.args[1])
    s.emit(_HAS_NO_QUOTIENT, a, b)
    stop_if(s, "fail_overflow", value)
    s.emit(_QUOTIENT, a, b)


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
        s.emit(_IS_OUTSIDE, a, least, _signed(most - least))
        stop_if(s, "fail_overflow", value)
    s.emit(_TIMES, a, factor)


def _quotient(a: int, b: int) -> int:
    """Divide towards zero."""
    return a // b if (a < 0) == (b < 0) else -(-a // b)


def _signed(number: int) -> int:
    return number - 2**64 if number > MOST else number


def _product(s: Selector, value: Value) -> None:
    """Multiply; test the product where an operand may not fit 32 bits, or less."""
    a, b = s.hold(value.args[0]), s.hold(value.args[1])
    product = s.new_local("i64")
    s.emit(_PRODUCT, a, b, product)
    _is_large(s, value, a, b)
    s.raw("if", None)
    s.emit(_IS_WRONG, a, b, product)
    stop_if(s, "fail_overflow", value)
    s.raw("end")
    s.get(product)


def _mul_wraps(s: Selector, value: Value) -> None:
    a, b = s.hold(value.args[0]), s.hold(value.args[1])
    _is_large(s, value, a, b)
    if isinstance(value.attr, tuple):
        return
    s.raw("if", "i32")
    product = s.new_local("i64")
    s.emit(_PRODUCT, a, b, product)
    s.emit(_IS_WRONG, a, b, product)
    s.raw("else")
    s.raw("i32.const", 0)
    s.raw("end")


def _is_large(s: Selector, value: Value, a: int, b: int) -> None:
    """Push whether a product may wrap around, by a look at its operands."""
    if isinstance(value.attr, tuple):
        room = MOST // value.attr[0]
        if "natural" in value.attr:
            s.emit(_IS_MORE, a, room)
        else:
            s.emit(_SPANS_MORE, a, room, _signed(2 * room))
    else:
        s.emit(_IS_LONG_NATURAL if value.attr == "natural" else _IS_LONG, a, b)


HANDLERS: dict[str, Handler] = {
    "add.wraps": _add_wraps, "mul.wraps": _mul_wraps,
    "add.checked": _add, "sub.checked": _sub, "mul.checked": _mul, "div.checked": _div,
}  # fmt: skip
