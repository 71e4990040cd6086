"""Characters in WebAssembly: compared where they lie in their strings, where they are ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.slots import else_call, push_all

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector

ASCII = 128
_NOT_ASCII = 255


def push_ascii(s: Selector, byte: int) -> None:
    """Push the static string of an ASCII character, with one more reference."""
    text = s.new_local("i32")
    s.get(byte)
    push_character(s)
    s.raw("local.tee", text)
    s.get(text)
    s.raw("i32.load", 2, layout.RC)
    s.raw("i32.const", 1)
    s.raw("i32.add")
    s.raw("i32.store", 2, layout.RC)
    s.get(text)


def push_character(s: Selector) -> None:
    """Replace a byte, or -1, by the address of its string."""
    s.raw("i32.const", layout.ASCII_SIZE)
    s.raw("i32.mul")
    s.raw("i32.const", layout.ASCII_SIZE)
    s.raw("i32.add")
    s.address("table", "ascii")
    s.raw("i32.add")


def _string_char(s: Selector, value: Value) -> None:
    """Take one more reference to the static string of an ASCII character."""
    held, place = s.hold(value.args[0]), s.hold(value.args[1])
    byte = _byte_at(s, held, place)
    _if_ascii(s, byte)
    push_ascii(s, byte)
    else_call(s, "string_char_at_offset", held, place)


def _byte_at(s: Selector, held: int, place: int) -> int:
    """Return a local with the byte at an offset of a string."""
    byte = s.new_local("i32")
    s.get(held)
    s.get(place)
    s.raw("i32.add")
    s.raw("i32.load8_u", 0, layout.STRING_DATA)
    s.set(byte)
    return byte


def _if_ascii(s: Selector, byte: int) -> None:
    s.get(byte)
    s.raw("i32.const", ASCII)
    s.raw("i32.lt_u")
    s.raw("if", "i32")


def _is_character(s: Selector, byte: int, held: int) -> None:
    """Push whether a string is one ASCII character."""
    s.get(held)
    s.raw("i32.load8_u", 0, layout.STRING_DATA)
    s.get(byte)
    s.raw("i32.eq")
    s.get(held)
    s.raw("i32.load", 2, layout.STRING_BYTES)
    s.raw("i32.const", 1)
    s.raw("i32.eq")
    s.raw("i32.and")


def _string_eq_at(s: Selector, value: Value) -> None:
    held, place, other = map(s.hold, value.args)
    byte = _byte_at(s, held, place)
    _if_ascii(s, byte)
    _is_character(s, byte, other)
    else_call(s, "string_eq_at", held, place, other)


def _string_eq_chars(s: Selector, value: Value) -> None:
    """Compare bytes, unless both begin other code points than ASCII."""
    held, place, other, other_place = map(s.hold, value.args)
    byte, other_byte = _byte_at(s, held, place), _byte_at(s, other, other_place)
    s.get(byte)
    s.get(other_byte)
    s.raw("i32.and")
    s.raw("i32.const", ASCII)
    s.raw("i32.lt_u")
    s.raw("if", "i32")
    s.get(byte)
    s.get(other_byte)
    s.raw("i32.eq")
    else_call(s, "string_eq_chars", held, place, other, other_place)


# Slices of one character


def _cut_byte(s: Selector, held: int, index: int) -> int:
    """Return a local with the byte at an index, or another than of ASCII where one must look."""
    byte, length = s.new_local("i32"), s.new_local("i32")
    s.get(held)
    s.raw("i32.load", 2, layout.STRING_COUNT)
    s.raw("local.tee", length)
    s.get(held)
    s.raw("i32.load", 2, layout.STRING_BYTES)
    s.raw("i32.eq")
    s.get(index)
    s.get(length)
    s.raw("i64.extend_i32_u")
    s.raw("i64.lt_u")
    s.raw("i32.and")
    s.raw("if", "i32")
    s.get(held)
    s.get(index)
    s.raw("i32.wrap_i64")
    s.raw("i32.add")
    s.raw("i32.load8_u", 0, layout.STRING_DATA)
    s.raw("else")
    s.raw("i32.const", _NOT_ASCII)
    s.raw("end")
    s.set(byte)
    return byte


def _string_cut(s: Selector, value: Value) -> None:
    held, index = s.hold(value.args[0]), s.hold(value.args[1])
    byte = _cut_byte(s, held, index)
    _if_ascii(s, byte)
    push_ascii(s, byte)
    s.raw("else")
    s.get(held)
    s.get(index)
    s.get(index)
    s.raw("i64.const", 1)
    s.raw("i64.add")
    s.call("string_slice")
    s.raw("end")


def _string_order_at(s: Selector, value: Value) -> None:
    """Push twice the first byte of a code point: other than ASCII is beyond all of that."""
    push_all(s, value)
    s.raw("i32.add")
    s.raw("i32.load8_u", 0, layout.STRING_DATA)
    s.raw("i32.const", 1)
    s.raw("i32.shl")


def _string_order_cut(s: Selector, value: Value) -> None:
    held, index = s.hold(value.args[0]), s.hold(value.args[1])
    byte = _cut_byte(s, held, index)
    _if_ascii(s, byte)
    s.get(byte)
    s.raw("i32.const", 1)
    s.raw("i32.shl")
    else_call(s, "string_order_cut", held, index)


def _string_eq_cut(s: Selector, value: Value) -> None:
    held, index, other = map(s.hold, value.args)
    byte = _cut_byte(s, held, index)
    _if_ascii(s, byte)
    _is_character(s, byte, other)
    else_call(s, "string_eq_cut", held, index, other)


# Bytes of strings that are ASCII alone


def _byte_load(s: Selector, value: Value) -> None:
    push_all(s, value)
    s.raw("i32.add")
    s.raw("i32.load8_u", 0, layout.STRING_DATA)


def _byte_cut(s: Selector, value: Value) -> None:
    """Push a byte, or -1; an index counts from the end, but -1, for there the slice ends at 0."""
    held, index, length = s.hold(value.args[0]), s.hold(value.args[1]), s.new_local("i64")
    s.get(index)
    s.get(held)
    s.raw("i64.load32_u", 2, layout.STRING_COUNT)
    s.raw("local.tee", length)
    s.raw("i64.lt_u")
    s.raw("if", "i32")
    _byte_of(s, held, index)
    s.raw("else")
    s.get(index)
    s.get(length)
    s.raw("i64.add")
    place = s.hold_top("i64")
    s.get(place)
    s.get(length)
    s.raw("i64.lt_u")
    s.get(index)
    s.raw("i64.const", -1)
    s.raw("i64.ne")
    s.raw("i32.and")
    s.raw("if", "i32")
    _byte_of(s, held, place)
    s.raw("else")
    s.raw("i32.const", -1)
    s.raw("end")
    s.raw("end")


def _byte_of(s: Selector, held: int, index: int) -> None:
    s.get(held)
    s.get(index)
    s.raw("i32.wrap_i64")
    s.raw("i32.add")
    s.raw("i32.load8_u", 0, layout.STRING_DATA)


def _byte_string(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    push_character(s)


HANDLERS: dict[str, Handler] = {
    "string.char": _string_char, "string.eq_at": _string_eq_at,
    "string.eq_chars": _string_eq_chars, "string.order_at": _string_order_at,
    "string.cut": _string_cut, "string.order_cut": _string_order_cut,
    "string.eq_cut": _string_eq_cut,
    "byte.load": _byte_load, "byte.cut": _byte_cut, "byte.string": _byte_string,
}  # fmt: skip
