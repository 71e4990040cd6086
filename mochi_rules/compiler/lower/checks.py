"""Checks in WebAssembly: a call that reports and stops, after a branch that is never taken."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import (
    FLOAT,
    is_boxed,
)
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.dynamic import unbox
from mochi_rules.compiler.lower.slots import stop_if
from mochi_rules.wasm.template import Template

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector


# The numbers for the message are stored: an argument of a call must be in one register, and the
# register allocator would move it there far ahead, on the way that does not fail.
_BOUND = f"""
    local.get $length  i64.ge_u
    if
        i32.const 0  local.get $place  i64.store offset={layout.WRONG_PLACE}
        i32.const 0  local.get $length  i64.store offset={layout.WRONG_LENGTH}
        i32.const $site  call {{failure}}  unreachable
    end
    local.get $place"""
# To an index, by what is known of it.
_WHAT_TO_ADD = {
    "negative": "local.get $length",
    "any": "local.get $index  i64.const 63  i64.shr_s  local.get $length  i64.and",
}
_IS_ZERO = {
    True: Template("local.get $divisor f64.const 0 f64.eq"),
    False: Template("local.get $divisor i64.eqz"),
}
_IS_NULL = Template("local.get $word i32.eqz")
_STOP_EXPECT = Template("i32.const $site call fail_expect unreachable end")


def _check_index(s: Selector, value: Value) -> None:
    """Add the length where the index is negative, and compare once: below 0 is too large.

    A branch for what is negative costs more: its two results have to be in one register.
    """
    index, length = s.hold(value.args[0]), s.hold(value.args[1])
    constant = s.const_of(value.args[0])
    kind = "negative" if constant is not None and constant < 0 else "any"
    template = _place_of(_WHAT_TO_ADD[kind], f"fail_index_{value.attr}")
    s.emit(template, index, length, s.new_local("i64"), s.packed(value.site))


@cache
def _place_of(what_to_add: str, failure: str) -> Template:
    """Return what pushes the place of an element; an index above the length fails too."""
    return Template(f"""
        local.get $index  {what_to_add}  i64.add  local.tee $place
        {_BOUND.format(failure=failure)}""")


@cache
def _bounded(failure: str) -> Template:
    return Template(f"local.get $place {_BOUND.format(failure=failure)}")


def _check_upper(s: Selector, value: Value) -> None:
    index, length = s.hold(value.args[0]), s.hold(value.args[1])
    s.emit(_bounded(f"fail_index_{value.attr}"), index, length, s.packed(value.site))


def _check_nonzero(s: Selector, value: Value) -> None:
    operand = value.args[0]
    if s.const_of(operand):
        s.push(operand)
        return
    held = s.hold(operand)
    s.emit(_IS_ZERO[operand.type is FLOAT], held)
    stop_if(s, "fail_zero", value)
    s.get(held)


def _known(s: Selector, value: Value) -> None:
    s.push(value.args[0])


def _check_some(s: Selector, value: Value) -> None:
    operand = value.args[0]
    word = s.hold(operand)
    s.emit(_IS_NULL, word)
    stop_if(s, "fail_null", value)
    s.get(word)
    if is_boxed(operand.type):
        unbox(s, value.type)


def _check_expect(s: Selector, value: Value) -> None:
    s.condition(value.args[0], negated=True)
    s.raw("if", None)
    s.address("string", value.attr)
    s.emit(_STOP_EXPECT, s.packed(value.site))


HANDLERS: dict[str, Handler] = {
    "check.index": _check_index, "check.upper": _check_upper, "check.nonzero": _check_nonzero,
    "check.some": _check_some, "check.expect": _check_expect, "index.known": _known,
    "nonzero.known": _known, "natural.known": _known,
}  # fmt: skip
