"""Checks, tagged words, reference counts and raw memory in WebAssembly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import (
    BOOL,
    FLOAT,
    INT,
    WORD,
    FunType,
    StructType,
    Type,
    is_boxed,
)
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.slots import push_all, stop_if

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector


_LOADS = {
    (INT, 8, False): ("i64.load", 3), (INT, 4, False): ("i64.load32_u", 2),
    (INT, 4, True): ("i64.load32_s", 2), (INT, 2, False): ("i64.load16_u", 1),
    (INT, 1, False): ("i64.load8_u", 0), (FLOAT, 8, False): ("f64.load", 3),
    (WORD, 4, False): ("i32.load", 2), (WORD, 2, False): ("i32.load16_u", 1),
    (WORD, 1, False): ("i32.load8_u", 0),
}  # fmt: skip
_STORES = {
    (INT, 8): ("i64.store", 3), (INT, 4): ("i64.store32", 2), (FLOAT, 8): ("f64.store", 3),
    (WORD, 4): ("i32.store", 2), (WORD, 2): ("i32.store16", 1), (WORD, 1): ("i32.store8", 0),
}  # fmt: skip

# Checks


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
        _unbox(s, value.type)


def _check_expect(s: Selector, value: Value) -> None:
    s.condition(value.args[0], negated=True)
    s.raw("if", None)
    s.address("string", value.attr)
    s.site(value.site)
    s.call("fail_expect")
    s.raw("unreachable")
    s.raw("end")


# Tagged words


def _any_of(s: Selector, value: Value) -> None:
    content = value.args[0]
    constant = s.const_of(content)
    if content.type is INT and constant is not None and layout.small_int(constant) is not None:
        s.raw("i32.const", layout.small_int(constant))
        return
    s.push(content)
    if content.type is INT:
        s.call("box_int")
    elif content.type is FLOAT:
        s.call("box_float")
    elif content.type is BOOL:
        s.raw("i32.const", 2)
        s.raw("i32.shl")
        s.raw("i32.const", layout.FALSE_WORD)
        s.raw("i32.or")


def _any_to(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    if value.type in (INT, FLOAT, BOOL):
        s.site(value.site)
        s.call(f"expect_{value.type}")
        return
    if isinstance(value.type, StructType):
        s.address("struct", value.type.name)
        s.site(value.site)
        s.call("expect_struct")
        return
    if isinstance(value.type, FunType):
        s.address("signature", layout.signature_of(value.type))
        s.site(value.site)
        s.call("expect_function")
        return
    s.raw("i32.const", layout.expected_meta(value.type))
    s.site(value.site)
    s.call("expect_kind")


def _any_cast(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    _unbox(s, value.type)


def _unbox(s: Selector, type_: Type) -> None:
    """Turn the tagged word on the stack, known to be of a type, into its value."""
    if type_ is INT:
        s.call("unbox_int")
    elif type_ is FLOAT:
        s.raw("f64.load", 3, layout.BOX_VALUE)
    elif type_ is BOOL:
        s.raw("i32.const", layout.TRUE_WORD)
        s.raw("i32.eq")


def _widen(s: Selector, value: Value) -> None:
    s.push(value.args[0])


def _is_null(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i32.eqz")


def _same(s: Selector, value: Value) -> None:
    push_all(s, value)
    s.raw("i32.eq")


# Reference counts


def _retain(s: Selector, value: Value) -> None:
    operand = value.args[0]
    if not layout.is_plain_reference(operand.type):
        s.push(operand)
        s.call("retain")
        return
    held = s.hold(operand)
    s.raw("local.get", held)
    s.raw("local.get", held)
    s.raw("i32.load", 2, layout.RC)
    s.raw("i32.const", 1)
    s.raw("i32.add")
    s.raw("i32.store", 2, layout.RC)


def _release(s: Selector, value: Value) -> None:
    operand = value.args[0]
    if not layout.is_plain_reference(operand.type):
        s.push(operand)
        s.call("release")
        return
    held, count = s.hold(operand), s.new_local("i32")
    s.raw("local.get", held)
    s.raw("local.get", held)
    s.raw("i32.load", 2, layout.RC)
    s.raw("i32.const", 1)
    s.raw("i32.sub")
    s.raw("local.tee", count)
    s.raw("i32.store", 2, layout.RC)
    s.raw("local.get", count)
    s.raw("i32.eqz")
    s.raw("if", None)
    s.raw("local.get", held)
    s.call("free_object")
    s.raw("end")


# Memory


def _mem_load(s: Selector, value: Value) -> None:
    width, signed, offset = value.attr
    s.push(value.args[0])
    s.raw(*_LOADS[value.type, width, signed], offset)


def _mem_store(s: Selector, value: Value) -> None:
    width, offset = value.attr
    push_all(s, value)
    s.raw(*_STORES[value.args[1].type, width], offset)


HANDLERS: dict[str, Handler] = {
    "check.index": _check_index, "check.nonzero": _check_nonzero, "check.some": _check_some,
    "check.expect": _check_expect,
    "any.of": _any_of, "any.to": _any_to, "any.cast": _any_cast, "widen": _widen,
    "is_null": _is_null, "same": _same, "retain": _retain, "release": _release,
    "mem.load": _mem_load, "mem.store": _mem_store,
}  # fmt: skip
