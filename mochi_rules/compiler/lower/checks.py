"""Checks in WebAssembly: a call that reports and stops, after a branch that is never taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import (
    FLOAT,
    is_boxed,
)
from mochi_rules.compiler.lower.dynamic import unbox
from mochi_rules.compiler.lower.slots import stop_if

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector


def _check_index(s: Selector, value: Value) -> None:
    """Compare once where the index is in range; a negative one is too large as unsigned."""
    index, length = s.hold(value.args[0]), s.hold(value.args[1])
    constant = s.const_of(value.args[0])
    if constant is not None and constant < 0:
        _from_end(s, value, index, length)
        return
    _is_beyond(s, index, length)
    s.raw("if", "i64")
    _from_end(s, value, index, length)
    s.raw("else")
    s.raw("local.get", index)
    s.raw("end")


def _from_end(s: Selector, value: Value, index: int, length: int) -> None:
    """Push the position of an index that counts from the end; one above the length fails too."""
    s.raw("local.get", index)
    s.raw("local.get", length)
    s.raw("i64.add")
    place = s.hold_top("i64")
    _is_beyond(s, place, length)
    stop_if(s, f"fail_index_{value.attr}", value, index, length)
    s.raw("local.get", place)


def _check_upper(s: Selector, value: Value) -> None:
    index, length = s.hold(value.args[0]), s.hold(value.args[1])
    _is_beyond(s, index, length)
    stop_if(s, f"fail_index_{value.attr}", value, index, length)
    s.raw("local.get", index)


def _is_beyond(s: Selector, index: int, length: int) -> None:
    s.raw("local.get", index)
    s.raw("local.get", length)
    s.raw("i64.ge_u")


def _check_nonzero(s: Selector, value: Value) -> None:
    operand = value.args[0]
    if s.const_of(operand):
        s.push(operand)
        return
    held = s.hold(operand)
    s.raw("local.get", held)
    if operand.type is FLOAT:
        s.raw("f64.const", 0.0)
        s.raw("f64.eq")
    else:
        s.raw("i64.eqz")
    stop_if(s, "fail_zero", value)
    s.raw("local.get", held)


def _known(s: Selector, value: Value) -> None:
    s.push(value.args[0])


def _check_some(s: Selector, value: Value) -> None:
    operand = value.args[0]
    word = s.hold(operand)
    s.raw("local.get", word)
    s.raw("i32.eqz")
    stop_if(s, "fail_null", value)
    s.raw("local.get", word)
    if is_boxed(operand.type):
        unbox(s, value.type)


def _check_expect(s: Selector, value: Value) -> None:
    s.condition(value.args[0], negated=True)
    s.raw("if", None)
    s.address("string", value.attr)
    s.site(value.site)
    s.call("fail_expect")
    s.raw("unreachable")
    s.raw("end")


HANDLERS: dict[str, Handler] = {
    "check.index": _check_index, "check.upper": _check_upper, "check.nonzero": _check_nonzero,
    "check.some": _check_some, "check.expect": _check_expect, "index.known": _known,
    "nonzero.known": _known,
}  # fmt: skip
