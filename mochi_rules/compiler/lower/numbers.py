"""Arithmetic, comparisons, conversions and constants in WebAssembly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import FLOAT
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.object_layout import machine_type
from mochi_rules.compiler.lower.slots import push_all

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector


# Operations of two numbers: for each machine type, the wasm mnemonic.
_SAME = {
    "add": ("add", "add"), "sub": ("sub", "sub"), "mul": ("mul", "mul"),
    "div": ("div_s", "div"), "rem": ("rem_s", ""), "div_u": ("div_u", ""), "rem_u": ("rem_u", ""),
    "and": ("and", ""), "or": ("or", ""), "xor": ("xor", ""), "rotl": ("rotl", ""),
    "shl": ("shl", ""), "shr": ("shr_s", ""), "shr_u": ("shr_u", ""),
    "eq": ("eq", "eq"), "ne": ("ne", "ne"),
    "lt": ("lt_s", "lt"), "le": ("le_s", "le"), "gt": ("gt_s", "gt"), "ge": ("ge_s", "ge"),
    "lt_u": ("lt_u", ""), "le_u": ("le_u", ""), "gt_u": ("gt_u", ""), "ge_u": ("ge_u", ""),
    "clz": ("clz", ""), "ctz": ("ctz", ""),
    "abs": ("", "abs"), "sqrt": ("", "sqrt"), "floor": ("", "floor"), "ceil": ("", "ceil"),
    "trunc": ("", "trunc"), "nearest": ("", "nearest"), "copysign": ("", "copysign"),
}  # fmt: skip

# Operations that are one instruction, whatever the type.
_FIXED = {
    "not": "i32.eqz",
    "float.of_int": "f64.convert_i64_s",
    "int.of_float": "i64.trunc_sat_f64_s",
    "int.of_word": "i64.extend_i32_u",
    "int.of_word_s": "i64.extend_i32_s",
    "word.of_int": "i32.wrap_i64",
    "bits.of_float": "i64.reinterpret_f64",
    "float.of_bits": "f64.reinterpret_i64",
    "mem.pages": "memory.size",
    "mem.grow": "memory.grow",
    "mem.copy": "memory.copy",
    "mem.fill": "memory.fill",
}

# Operations without an instruction.
_NOTHING = ("bool.of_word", "word.of_bool")


def _numeric(name: str, of_int: str, of_float: str) -> Handler:
    mnemonics = {machine: f"{machine}.{of_int}" for machine in ("i32", "i64") if of_int}
    if of_float:
        mnemonics["f64"] = f"f64.{of_float}"

    def handle(s: Selector, value: Value) -> None:
        machine = machine_type(value.args[0].type)
        assert machine in mnemonics, f"{name} on {machine}"
        push_all(s, value)
        s.raw(mnemonics[machine])

    return handle


def _fixed(mnemonic: str) -> Handler:
    def handle(s: Selector, value: Value) -> None:
        push_all(s, value)
        s.raw(mnemonic)

    return handle


def _neg(s: Selector, value: Value) -> None:
    if value.type is FLOAT:
        s.push(value.args[0])
        s.raw("f64.neg")
        return
    machine = machine_type(value.type)
    s.raw(f"{machine}.const", 0)
    s.push(value.args[0])
    s.raw(f"{machine}.sub")


def _float_rem(s: Selector, value: Value) -> None:
    if value.type is FLOAT:
        push_all(s, value)
        s.call("float_rem")
    else:
        _numeric("rem", "rem_s", "")(s, value)


def _select(s: Selector, value: Value) -> None:
    condition, then, otherwise = value.args
    s.push(then)
    s.push(otherwise)
    s.push(condition)
    s.raw("select")


# Constants


def _const(s: Selector, value: Value) -> None:
    s.raw(f"{machine_type(value.type)}.const", value.attr)


def _null(s: Selector, value: Value) -> None:
    del value
    s.raw("i32.const", layout.NULL_WORD)


def _string(s: Selector, value: Value) -> None:
    s.address("string", value.attr)


def _address(s: Selector, value: Value) -> None:
    s.address("table", value.attr)


def _site(s: Selector, value: Value) -> None:
    s.site(value.site)


def _symbol(s: Selector, value: Value) -> None:
    s.address("function", value.attr)


def _nothing(s: Selector, value: Value) -> None:
    s.push(value.args[0])


HANDLERS: dict[str, Handler] = {
    **{name: _numeric(name, *suffixes) for name, suffixes in _SAME.items()},
    **{name: _fixed(mnemonic) for name, mnemonic in _FIXED.items()},
    **dict.fromkeys(_NOTHING, _nothing),
    "neg": _neg, "rem": _float_rem, "select": _select,
    "const": _const, "null": _null, "string": _string, "address": _address, "site": _site,
    "symbol": _symbol,
}  # fmt: skip
