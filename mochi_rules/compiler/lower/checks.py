"""Checks in WebAssembly: a call that reports and stops, behind a branch that is never taken."""

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
    index, length = s.hold(value.args[0]), s.hold(value.args[1])
    s.raw("local.get", index)
    s.raw("local.get", length)
    s.raw("i64.ge_u")
    stop_if(s, f"fail_index_{value.attr}", value, index, length)


def _check_nonzero(s: Selector, value: Value) -> None:
    operand = value.args[0]
    if s.const_of(operand):
        return
    s.push(operand)
    if operand.type is FLOAT:
        s.raw("f64.const", 0.0)
        s.raw("f64.eq")
    else:
        s.raw("i64.eqz")
    stop_if(s, "fail_zero", value)


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
    "check.index": _check_index, "check.nonzero": _check_nonzero, "check.some": _check_some,
    "check.expect": _check_expect,
}  # fmt: skip
