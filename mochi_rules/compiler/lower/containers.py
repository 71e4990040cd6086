"""Lists, strings and maps in WebAssembly: the fast paths, inlined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import INT, MapType, Type
from mochi_rules.compiler.lower import allocate
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.object_layout import count_code_points
from mochi_rules.compiler.lower.slots import (
    BYTE_LOAD,
    BYTE_STORE,
    SLOT_LOADS,
    SLOT_STORES,
    push_all,
    store_slot,
    vacate_slot,
)

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector


SLOT_NAMES = ("int", "float", "bool", "ref")
_WORD = 8  # bytes that one store puts behind a string
_ELEMENT_STORES = (*SLOT_STORES[:2], BYTE_STORE, SLOT_STORES[3])


# Lists


def _element_type(value: Value) -> Type:
    list_type = value.args[0].type
    return list_type.element  # type: ignore[attr-defined,no-any-return]


def _list_new(s: Selector, value: Value) -> None:
    element = value.type.element  # type: ignore[attr-defined]
    slot = layout.slot_of(element)
    element_size = layout.list_element_size(slot)
    size = layout.LIST_DATA + len(value.args) * element_size
    if size > allocate.LARGEST:
        s.raw("i32.const", len(value.args))
        s.raw("i32.const", slot)
        s.call("list_make")
        xs = s.hold_top("i32")
    else:
        s.raw("i32.const", layout.list_meta(element))
        xs = allocate.make_object(s, size)
        room = (allocate.rounded(size) - layout.LIST_DATA) // element_size
        s.raw("local.get", xs)
        s.raw("i64.const", room << 32 | len(value.args))
        s.raw("i64.store", 2, layout.LIST_LEN)
    mnemonic, align = _ELEMENT_STORES[slot]
    for number, item in enumerate(value.args):
        s.raw("local.get", xs)
        s.push(item)
        s.raw(mnemonic, align, layout.LIST_DATA + number * element_size)
    s.raw("local.get", xs)


def _list_len(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i64.load32_u", 2, layout.LIST_LEN)


def _push_element(s: Selector, value: Value, size: int) -> int:
    """Push the base of element access; return the offset to use with it."""
    s.push(value.args[0])
    constant = s.const_of(value.args[1])
    if constant is not None and 0 <= constant < 2**20:
        return layout.LIST_DATA + int(constant) * size
    s.push(value.args[1])
    s.raw("i32.wrap_i64")
    if size > 1:
        s.raw("i32.const", size.bit_length() - 1)
        s.raw("i32.shl")
    s.raw("i32.add")
    return layout.LIST_DATA


def _list_load(s: Selector, value: Value) -> None:
    slot = layout.slot_of(value.type)
    offset = _push_element(s, value, layout.list_element_size(slot))
    mnemonic, align = BYTE_LOAD if slot == layout.SLOT_BOOL else SLOT_LOADS[slot]
    s.raw(mnemonic, align, offset)


def _list_store(s: Selector, value: Value) -> None:
    item = value.args[2]
    slot = layout.slot_of(item.type)
    offset = _push_element(s, value, layout.list_element_size(slot))
    if slot == layout.SLOT_BOOL:
        s.push(item)
        s.raw(*BYTE_STORE, offset)
    else:
        store_slot(s, slot, offset, item)


def _list_vacate(s: Selector, value: Value) -> None:
    offset = _push_element(s, value, layout.list_element_size(layout.SLOT_REF))
    vacate_slot(s, offset, value.args[2])


def _list_append(s: Selector, value: Value) -> None:
    """Store behind the last element where the list is not shared and has room."""
    slot = layout.slot_of(value.args[1].type)
    size = layout.list_element_size(slot)
    xs = s.hold(value.args[0])
    item = None if s.is_constant(value.args[1]) else s.hold(value.args[1])
    count = s.new_local("i32")
    s.raw("local.get", xs)
    s.raw("i32.load", 2, layout.LIST_LEN)
    s.raw("local.tee", count)
    s.raw("local.get", xs)
    s.raw("i32.load", 2, layout.LIST_CAP)
    s.raw("i32.ne")
    _and_unique(s, xs)
    s.raw("if", "i32")
    s.raw("local.get", xs)
    s.raw("local.get", count)
    s.raw("i32.const", 1)
    s.raw("i32.add")
    s.raw("i32.store", 2, layout.LIST_LEN)
    s.raw("local.get", xs)
    s.raw("local.get", count)
    s.raw("i32.const", size.bit_length() - 1)
    s.raw("i32.shl")
    s.raw("i32.add")
    _push_held(s, item, value.args[1])
    s.raw(*_ELEMENT_STORES[slot], layout.LIST_DATA)
    s.raw("local.get", xs)
    s.raw("else")
    s.raw("local.get", xs)
    _push_held(s, item, value.args[1])
    s.call("list_append_" + SLOT_NAMES[slot])
    s.raw("end")


def _list_reserve(s: Selector, value: Value) -> None:
    push_all(s, value)
    s.call("list_reserve")


def _list_room(s: Selector, value: Value) -> None:
    xs = s.hold(value.args[0])
    s.raw("local.get", xs)
    s.raw("i64.load32_u", 2, layout.LIST_CAP)
    s.raw("local.get", xs)
    s.raw("i64.load32_u", 2, layout.LIST_LEN)
    s.raw("i64.sub")
    s.raw("i64.const", 0)
    s.raw("local.get", xs)
    s.raw("i32.load", 2, layout.RC)
    s.raw("i32.const", 1)
    s.raw("i32.eq")
    s.raw("select")


def _list_extend(s: Selector, value: Value) -> None:
    xs = s.hold(value.args[0])
    s.raw("local.get", xs)
    s.raw("local.get", xs)
    s.raw("i32.load", 2, layout.LIST_LEN)
    s.push(value.args[1])
    s.raw("i32.wrap_i64")
    s.raw("i32.add")
    s.raw("i32.store", 2, layout.LIST_LEN)
    s.raw("local.get", xs)


def _and_unique(s: Selector, held: int) -> None:
    """Add to the condition on the stack that the object in a local has one reference."""
    s.raw("local.get", held)
    s.raw("i32.load", 2, layout.RC)
    s.raw("i32.const", 1)
    s.raw("i32.eq")
    s.raw("i32.and")


def _push_held(s: Selector, local: int | None, value: Value) -> None:
    """Push a value that a local holds, or a constant."""
    if local is None:
        s.push(value)
    else:
        s.raw("local.get", local)


# Strings and maps


def _string_len(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i64.load32_u", 2, layout.STRING_COUNT)


def _string_concat(s: Selector, value: Value) -> None:
    """Append a few known bytes where the string is not shared and has room for eight."""
    text, more = value.args
    known = more.attr if more.op == "string" else b""
    if not 0 < len(known) <= _WORD:
        push_all(s, value)
        s.call("string_concat")
        return
    held, length = s.hold(text), s.new_local("i32")
    s.raw("local.get", held)
    s.raw("i32.load", 2, layout.STRING_BYTES)
    s.raw("local.tee", length)
    s.raw("i32.const", _WORD)
    s.raw("i32.add")
    s.raw("local.get", held)
    s.raw("i32.load", 2, layout.STRING_CAP)
    s.raw("i32.le_u")
    _and_unique(s, held)
    s.raw("if", "i32")
    s.raw("local.get", held)
    s.raw("local.get", length)
    s.raw("i32.add")
    s.raw("i64.const", int.from_bytes(known.ljust(_WORD, b"\0"), "little", signed=True))
    s.raw("i64.store", 0, layout.STRING_DATA)
    for offset, added in (
        (layout.STRING_BYTES, len(known)), (layout.STRING_COUNT, count_code_points(known)),
    ):  # fmt: skip
        s.raw("local.get", held)
        s.raw("local.get", held)
        s.raw("i32.load", 2, offset)
        s.raw("i32.const", added)
        s.raw("i32.add")
        s.raw("i32.store", 2, offset)
    s.raw("local.get", held)
    s.raw("else")
    s.raw("local.get", held)
    s.push(more)
    s.call("string_concat")
    s.raw("end")


def _string_eq(s: Selector, value: Value) -> None:
    push_all(s, value)
    s.call("string_eq")


def _map_new(s: Selector, value: Value) -> None:
    assert isinstance(value.type, MapType)
    s.raw("i32.const", layout.map_meta(value.type.key, value.type.value))
    s.call("map_make")


def _map_len(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i64.load32_u", 2, layout.MAP_LEN)


def _map_access(verb: str) -> Handler:
    def handle(s: Selector, value: Value) -> None:
        push_all(s, value)
        s.call(f"map_{verb}_{'int' if value.args[1].type is INT else 'string'}")

    return handle


def _entry_load(s: Selector, value: Value) -> None:
    s.push(value.args[1])
    s.raw(*SLOT_LOADS[layout.slot_of(value.type)], layout.ENTRY_VALUE)


def _entry_store(s: Selector, value: Value) -> None:
    s.push(value.args[1])
    store_slot(s, layout.slot_of(value.args[2].type), layout.ENTRY_VALUE, value.args[2])


def _entry_vacate(s: Selector, value: Value) -> None:
    s.push(value.args[1])
    vacate_slot(s, layout.ENTRY_VALUE, value.args[2])


HANDLERS: dict[str, Handler] = {
    "list.new": _list_new, "list.len": _list_len,
    "list.load": _list_load, "list.store": _list_store, "list.vacate": _list_vacate,
    "list.append": _list_append, "list.reserve": _list_reserve,
    "list.room": _list_room, "list.extend": _list_extend,
    "string.len": _string_len, "string.concat": _string_concat, "string.eq": _string_eq,
    "map.new": _map_new, "map.len": _map_len,
    "map.find": _map_access("find"), "map.insert": _map_access("insert"),
    "entry.load": _entry_load, "entry.store": _entry_store, "entry.vacate": _entry_vacate,
}  # fmt: skip
