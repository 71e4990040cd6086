"""Values whose type is known only at run time: tagged words in WebAssembly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import (
    BOOL,
    FLOAT,
    INT,
    FunType,
    StructType,
    Type,
)
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.slots import push_all

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector


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
    unbox(s, value.type)


def unbox(s: Selector, type_: Type) -> None:
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


HANDLERS: dict[str, Handler] = {
    "any.of": _any_of, "any.to": _any_to, "any.cast": _any_cast, "widen": _widen,
    "is_null": _is_null, "same": _same,
}  # fmt: skip
