"""Strings in WebAssembly: the fast paths, inlined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.characters import push_character
from mochi_rules.compiler.lower.object_layout import count_code_points
from mochi_rules.compiler.lower.slots import else_call, push_all
from mochi_rules.wasm.template import Template

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector

_WORD = 8  # bytes of a string that one can always read, and that one store puts behind it
_LOADS = {1: ("i32.load8_u", 0), 2: ("i32.load16_u", 0), 4: ("i32.load", 0)}
_STORES = {1: "i64.store8", 2: "i64.store16", 4: "i64.store32"}

# Whether a string is not shared and has room; where it has, push where it ends. $lengths are in
# bytes and, above, in code points.
_IF_ROOM = Template(f"""
    local.get $text  i64.load offset={layout.STRING_BYTES}  local.tee $lengths
    i32.wrap_i64  local.tee $length  i32.const $size  i32.add
    local.get $text  i32.load offset={layout.STRING_CAP}
    i32.le_u
    local.get $text  i32.load offset={layout.RC}  i32.const 1  i32.eq
    i32.and
    if (result i32)
        local.get $text  local.get $length  i32.add""")
_STORE_KNOWN = Template(f"""
    i64.const $bytes  i64.store align=1 offset={layout.STRING_DATA}
    local.get $text  local.get $lengths  i64.const $more""")
_STORE_BYTE = Template(f"""
    local.get $byte  i32.store8 offset={layout.STRING_DATA}
    local.get $text  local.get $lengths  i64.const $more""")
_UNLESS_NOTHING = Template("i64.const 0  local.get $byte  i32.const 0  i32.ge_s  select")
# Stores lengths to which the top of the stack is added, and begins the other way.
_ELSE = Template(f"""
    i64.add  i64.store offset={layout.STRING_BYTES}
    local.get $text
    else
        local.get $text""")
_ROOM = Template(f"""
    local.get $text  i64.load32_u offset={layout.STRING_CAP}
    local.get $text  i64.load32_u offset={layout.STRING_BYTES}
    i64.sub  i64.const {_WORD}  i64.sub  local.get $size  i64.div_s
    i64.const 0
    local.get $text  i32.load offset={layout.RC}  i32.const 1  i32.eq
    select""")
_LENGTHS = Template(f"""
    local.get $text
    local.get $text  i64.load offset={layout.STRING_BYTES}""")
_ADD_LENGTHS = Template(f"""
    i64.const $each  i64.mul  i64.add  i64.store offset={layout.STRING_BYTES}
    local.get $text""")
_ARE_EQUAL = Template(f"""
    local.get $a  i32.load offset={layout.STRING_BYTES}
    local.get $b  i32.load offset={layout.STRING_BYTES}
    i32.eq
    if (result i32)
        local.get $a  local.get $b  call string_eq
    else
        i32.const 0
    end""")
_HAS_LENGTH = Template(f"""
    local.get $text  i32.load offset={layout.STRING_BYTES}  i32.const $length  i32.eq""")
_ORDER = Template(f"""
    local.get $text  i32.load8_u offset={layout.STRING_DATA}  i32.const 1  i32.shl
    local.get $text  i32.load offset={layout.STRING_BYTES}  local.tee $length
    i32.const 1  i32.gt_u  i32.or
    i32.const -1
    local.get $length
    select""")
_IF_ASCII = Template(f"""
    local.get $text  i32.load offset={layout.STRING_BYTES}
    local.get $text  i32.load offset={layout.STRING_COUNT}
    i32.eq
    if (result i32)
        local.get $at""")

# Two orders decide unless they are equal and odd.
_COMPARE = Template("""
    local.get $left  local.get $right  i32.ne
    local.get $left  i32.const 1  i32.and  i32.eqz
    i32.or
    if (result i64)
        local.get $left  local.get $right  i32.sub  i64.extend_i32_s
    else
        local.get $one  local.get $other  call string_compare
    end""")


def _string_len(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i64.load32_u", 2, layout.STRING_COUNT)


# Putting together


def _string_concat(s: Selector, value: Value) -> None:
    """Append a byte, or a few known ones, where the string is not shared and has room for them."""
    text, more = value.args
    known = more.attr if more.op == "string" else b""
    held = s.hold(text)
    byte = s.operand_of(more) if more.op == "byte.string" else None
    if byte is not None:
        _append_byte(s, held, byte)
    elif 0 < len(known) <= _WORD:
        lengths = _if_room(s, held, _WORD)
        s.emit(_STORE_KNOWN, _number(known), held, lengths, _lengths(known))
        s.emit(_ELSE, held)
        s.push(more)
        s.call("string_concat")
        s.raw("end")
    else:
        s.get(held)
        s.push(more)
        s.call("string_concat")


def _append_byte(s: Selector, held: int, more: Value) -> None:
    """Append an ASCII byte, or nothing where it is -1."""
    byte = s.hold(more)
    lengths = _if_room(s, held, 1)
    s.emit(_STORE_BYTE, byte, held, lengths, _lengths(b"0"))
    if more.op != "byte.load":
        s.emit(_UNLESS_NOTHING, byte)
    s.emit(_ELSE, held)
    s.get(byte)
    push_character(s)
    s.call("string_concat")
    s.raw("end")


def _if_room(s: Selector, held: int, size: int) -> int:
    """Begin a conditional, and push where a string ends; return a local with both its lengths."""
    lengths, length = s.new_local("i64"), s.new_local("i32")
    s.emit(_IF_ROOM, held, lengths, length, size)
    return lengths


def _string_reserve(s: Selector, value: Value) -> None:
    push_all(s, value)
    s.call("string_reserve")


def _string_size(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i64.load32_u", 2, layout.STRING_BYTES)


def _string_room(s: Selector, value: Value) -> None:
    s.emit(_ROOM, s.hold(value.args[0]), s.hold(value.args[1]))


def _string_extend(s: Selector, value: Value) -> None:
    held, piece = s.hold(value.args[0]), value.args[1].attr
    s.emit(_LENGTHS, held)
    s.push(value.args[2])
    s.emit(_ADD_LENGTHS, _lengths(piece), held)


def _string_store(s: Selector, value: Value) -> None:
    """Store at once all bytes of the piece, or eight: there is room for them."""
    text, piece, at = value.args
    s.push(text)
    s.push(at)
    s.raw("i32.wrap_i64")
    s.raw("i32.add")
    s.raw("i64.const", _number(piece.attr))
    s.raw(_STORES.get(len(piece.attr), "i64.store"), 0, layout.STRING_DATA)


def _lengths(text: bytes) -> int:
    """Return both lengths of a string as one word holds them."""
    return count_code_points(text) << 32 | len(text)


def _number(text: bytes) -> int:
    """Return up to eight bytes as a load of them gives them."""
    return int.from_bytes(text.ljust(_WORD, b"\0"), "little", signed=True)


# Comparing


def _string_eq(s: Selector, value: Value) -> None:
    left, right = value.args
    if left.op == "string":
        left, right = right, left
    if right.op == "string" and len(right.attr) <= _WORD:
        _is_known(s, s.hold(left), right.attr)
        return
    s.emit(_ARE_EQUAL, s.hold(left), s.hold(right))


def _is_known(s: Selector, held: int, known: bytes) -> None:
    """Push whether a string is a few known bytes."""
    s.emit(_HAS_LENGTH, held, len(known))
    if not known:
        return
    s.get(held)
    if len(known) in _LOADS:
        s.raw(*_LOADS[len(known)], layout.STRING_DATA)
        s.raw("i32.const", int.from_bytes(known, "little"))
        s.raw("i32.eq")
    else:
        s.raw("i64.load", 0, layout.STRING_DATA)
        if len(known) < _WORD:
            s.raw("i64.const", 2 ** (8 * len(known)) - 1)
            s.raw("i64.and")
        s.raw("i64.const", _number(known))
        s.raw("i64.eq")
    s.raw("i32.and")


def _string_order(s: Selector, value: Value) -> None:
    """Push -1 for the empty string, else twice the first byte, and 1 more where others follow."""
    s.emit(_ORDER, s.hold(value.args[0]), s.new_local("i32"))


def _string_compare(s: Selector, value: Value) -> None:
    """Compare first bytes, and call where both strings go on after equal ones, or are empty."""
    orders = []
    one, other = map(s.hold, value.args)
    for held in (one, other):
        s.emit(_ORDER, held, s.new_local("i32"))
        orders.append(s.hold_top("i32"))
    s.emit(_COMPARE, *orders, one, other)


# Code points


def _string_offset(s: Selector, value: Value) -> None:
    held, index = s.hold(value.args[0]), s.hold(value.args[1])
    s.emit(_IF_ASCII, held, index)
    s.raw("i32.wrap_i64")
    else_call(s, "string_offset", held, index)


def _string_next(s: Selector, value: Value) -> None:
    held, place = s.hold(value.args[0]), s.hold(value.args[1])
    s.emit(_IF_ASCII, held, place)
    s.raw("i32.const", 1)
    s.raw("i32.add")
    else_call(s, "string_next", held, place)


HANDLERS: dict[str, Handler] = {
    "string.len": _string_len, "string.concat": _string_concat, "string.eq": _string_eq,
    "string.reserve": _string_reserve, "string.size": _string_size, "string.room": _string_room,
    "string.extend": _string_extend, "string.store": _string_store,
    "string.order": _string_order, "string.compare": _string_compare,
    "string.offset": _string_offset, "string.next": _string_next,
}  # fmt: skip
