"""Characters in WebAssembly: compared where they lie in their strings, where they are ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.slots import else_call, push_all, retain_plain
from mochi_rules.wasm.template import Template

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector

ASCII = 128
_NOT_ASCII = 255

_BYTE = f"i32.add i32.load8_u offset={layout.STRING_DATA}"
_LOAD_BYTE = Template(_BYTE)
_BYTE_OF = f"local.get $text  local.get $index  i32.wrap_i64  {_BYTE}"
_BYTE_AT = Template(f"local.get $text local.get $place {_BYTE}")
_IF_ASCII = Template(f"local.get $byte i32.const {ASCII} i32.lt_u if (result i32)")
# Whether a string is one ASCII character.
_IS_CHARACTER = Template(f"""
    local.get $text  i32.load8_u offset={layout.STRING_DATA}  local.get $byte  i32.eq
    local.get $text  i32.load offset={layout.STRING_BYTES}  i32.const 1  i32.eq
    i32.and""")
_IF_BOTH_ASCII = Template(f"""
    local.get $a  local.get $b  i32.and  i32.const {ASCII}  i32.lt_u
    if (result i32)
        local.get $a  local.get $b  i32.eq""")
# The byte at an index, or another than of ASCII where one must look.
_CUT_BYTE = Template(f"""
    local.get $text  i32.load offset={layout.STRING_COUNT}  local.tee $length
    local.get $text  i32.load offset={layout.STRING_BYTES}
    i32.eq
    local.get $index  local.get $length  i64.extend_i32_u  i64.lt_u
    i32.and
    if (result i32)
        {_BYTE_OF}
    else
        i32.const {_NOT_ASCII}
    end""")
_ELSE_SLICE = Template("""
    else
        local.get $text  local.get $index  local.get $index  i64.const 1  i64.add
        call string_slice
    end""")
_DOUBLE = Template("i32.const 1 i32.shl")
# The place of a string in the table, less the address of that.
_ROW = Template(f"""
    i32.const {layout.ASCII_SIZE}  i32.mul  i32.const {layout.ASCII_SIZE}  i32.add""")
# A byte, or -1. An index counts from the end, but -1, for there the slice ends at 0.
_BYTE_CUT = Template(f"""
    local.get $index
    local.get $text  i64.load32_u offset={layout.STRING_COUNT}  local.tee $length
    i64.lt_u
    if (result i32)
        {_BYTE_OF}
    else
        local.get $index  local.get $length  i64.add  local.tee $place
        local.get $length  i64.lt_u
        local.get $index  i64.const -1  i64.ne
        i32.and
        if (result i32)
            {_BYTE_OF.replace("$index", "$place")}
        else
            i32.const -1
        end
    end""")


def push_ascii(s: Selector, byte: int) -> None:
    """Push the static string of an ASCII character, with one more reference."""
    text = s.new_local("i32")
    s.get(byte)
    push_character(s)
    s.set(text)
    retain_plain(s, text)
    s.get(text)


def push_character(s: Selector) -> None:
    """Replace a byte, or -1, by the address of its string."""
    s.emit(_ROW)
    s.address("table", "ascii")
    s.raw("i32.add")


def _string_char(s: Selector, value: Value) -> None:
    """Take one more reference to the static string of an ASCII character."""
    held, place = s.hold(value.args[0]), s.hold(value.args[1])
    byte = _byte_at(s, held, place)
    s.emit(_IF_ASCII, byte)
    push_ascii(s, byte)
    else_call(s, "string_char_at_offset", held, place)


def _byte_at(s: Selector, held: int, place: int) -> int:
    """Return a local with the byte at an offset of a string."""
    byte = s.new_local("i32")
    s.emit(_BYTE_AT, held, place)
    s.set(byte)
    return byte


def _string_eq_at(s: Selector, value: Value) -> None:
    held, place, other = map(s.hold, value.args)
    byte = _byte_at(s, held, place)
    s.emit(_IF_ASCII, byte)
    s.emit(_IS_CHARACTER, other, byte)
    else_call(s, "string_eq_at", held, place, other)


def _string_eq_chars(s: Selector, value: Value) -> None:
    """Compare bytes, unless both begin other code points than ASCII."""
    held, place, other, other_place = map(s.hold, value.args)
    byte, other_byte = _byte_at(s, held, place), _byte_at(s, other, other_place)
    s.emit(_IF_BOTH_ASCII, byte, other_byte)
    else_call(s, "string_eq_chars", held, place, other, other_place)


# Slices of one character


def _cut_byte(s: Selector, held: int, index: int) -> int:
    """Return a local with the byte at an index, or another than of ASCII where one must look."""
    byte, length = s.new_local("i32"), s.new_local("i32")
    s.emit(_CUT_BYTE, held, length, index)
    s.set(byte)
    return byte


def _string_cut(s: Selector, value: Value) -> None:
    held, index = s.hold(value.args[0]), s.hold(value.args[1])
    byte = _cut_byte(s, held, index)
    s.emit(_IF_ASCII, byte)
    push_ascii(s, byte)
    s.emit(_ELSE_SLICE, held, index)


def _string_order_at(s: Selector, value: Value) -> None:
    """Push twice the first byte of a code point: other than ASCII is beyond all of that."""
    push_all(s, value)
    s.emit(_LOAD_BYTE)
    s.emit(_DOUBLE)


def _string_order_cut(s: Selector, value: Value) -> None:
    held, index = s.hold(value.args[0]), s.hold(value.args[1])
    byte = _cut_byte(s, held, index)
    s.emit(_IF_ASCII, byte)
    s.get(byte)
    s.emit(_DOUBLE)
    else_call(s, "string_order_cut", held, index)


def _string_eq_cut(s: Selector, value: Value) -> None:
    held, index, other = map(s.hold, value.args)
    byte = _cut_byte(s, held, index)
    s.emit(_IF_ASCII, byte)
    s.emit(_IS_CHARACTER, other, byte)
    else_call(s, "string_eq_cut", held, index, other)


# Bytes of strings that are ASCII alone


def _byte_load(s: Selector, value: Value) -> None:
    push_all(s, value)
    s.emit(_LOAD_BYTE)


def _byte_cut(s: Selector, value: Value) -> None:
    held, index, length = s.hold(value.args[0]), s.hold(value.args[1]), s.new_local("i64")
    s.emit(_BYTE_CUT, index, held, length, s.new_local("i64"))


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
