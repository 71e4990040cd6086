"""Lists and maps in WebAssembly: the fast paths, inlined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import INT, MapType, Type
from mochi_rules.compiler.lower import allocate
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.slots import (
    BYTE_LOAD,
    BYTE_STORE,
    SLOT_LOADS,
    SLOT_STORES,
    and_unique,
    push_all,
    retain_plain,
    store_slot,
    vacate_slot,
)

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector


SLOT_NAMES = ("int", "float", "bool", "ref")
_FARTHEST = 8  # elements that an index may be above what is computed; no list begins so low
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
        s.get(xs)
        s.raw("i64.const", room << 32 | len(value.args))
        s.raw("i64.store", 2, layout.LIST_LEN)
    mnemonic, align = _ELEMENT_STORES[slot]
    for number, item in enumerate(value.args):
        s.get(xs)
        s.push(item)
        s.raw(mnemonic, align, layout.LIST_DATA + number * element_size)
    s.get(xs)


def _list_len(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i64.load32_u", 2, layout.LIST_LEN)


def _push_element(s: Selector, value: Value, size: int) -> int:
    """Push the base of element access; return the offset to use with it."""
    xs, index = value.args[:2]
    s.push(xs)
    constant = s.const_of(index)
    if constant is not None and 0 <= constant < 2**20:
        return layout.LIST_DATA + int(constant) * size
    index, change = s.split_sum(index, -layout.LIST_DATA // size, _FARTHEST)
    s.push(index)
    s.raw("i32.wrap_i64")
    if size > 1:
        s.raw("i32.const", size.bit_length() - 1)
        s.raw("i32.shl")
    s.raw("i32.add")
    return layout.LIST_DATA + change * size


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


def _list_swap(s: Selector, value: Value) -> None:
    """Exchange two references; nothing is counted, as the list has both before and after."""
    assert layout.slot_of(_element_type(value)) == layout.SLOT_REF
    xs, *indices = value.args
    places = []
    for index in indices:
        s.push(xs)
        s.push(index)
        s.raw("i32.wrap_i64")
        s.raw("i32.const", 2)
        s.raw("i32.shl")
        s.raw("i32.add")
        places.append(s.hold_top("i32"))
    one, other = places
    for to, of in ((one, other), (other, one)):
        s.get(to)
        s.get(of)
        s.raw("i32.load", 2, layout.LIST_DATA)
    s.raw("i32.store", 2, layout.LIST_DATA)
    s.raw("i32.store", 2, layout.LIST_DATA)


def _list_vacate(s: Selector, value: Value) -> None:
    offset = _push_element(s, value, layout.list_element_size(layout.SLOT_REF))
    vacate_slot(s, offset, value.args[2])


def _list_append(s: Selector, value: Value) -> None:
    """Store after the last element where the list is not shared and has room."""
    slot = layout.slot_of(value.args[1].type)
    size = layout.list_element_size(slot)
    xs = s.hold(value.args[0])
    item = None if s.is_constant(value.args[1]) else s.hold(value.args[1])
    count = s.new_local("i32")
    s.get(xs)
    s.raw("i32.load", 2, layout.LIST_LEN)
    s.raw("local.tee", count)
    s.get(xs)
    s.raw("i32.load", 2, layout.LIST_CAP)
    s.raw("i32.ne")
    and_unique(s, xs)
    s.raw("if", "i32")
    s.get(xs)
    s.get(count)
    s.raw("i32.const", 1)
    s.raw("i32.add")
    s.raw("i32.store", 2, layout.LIST_LEN)
    s.get(xs)
    s.get(count)
    s.raw("i32.const", size.bit_length() - 1)
    s.raw("i32.shl")
    s.raw("i32.add")
    _push_held(s, item, value.args[1])
    s.raw(*_ELEMENT_STORES[slot], layout.LIST_DATA)
    s.get(xs)
    s.raw("else")
    s.get(xs)
    _push_held(s, item, value.args[1])
    s.call("list_append_" + SLOT_NAMES[slot])
    s.raw("end")


def _list_reserve(s: Selector, value: Value) -> None:
    push_all(s, value)
    s.call("list_reserve")


def _list_shortest(s: Selector, value: Value) -> None:
    push_all(s, value)
    s.call("list_shortest")


def _list_room(s: Selector, value: Value) -> None:
    xs = s.hold(value.args[0])
    s.get(xs)
    s.raw("i64.load32_u", 2, layout.LIST_CAP)
    s.get(xs)
    s.raw("i64.load32_u", 2, layout.LIST_LEN)
    s.raw("i64.sub")
    s.raw("i64.const", 0)
    s.get(xs)
    s.raw("i32.load", 2, layout.RC)
    s.raw("i32.const", 1)
    s.raw("i32.eq")
    s.raw("select")


def _list_extend(s: Selector, value: Value) -> None:
    xs = s.hold(value.args[0])
    s.get(xs)
    s.get(xs)
    s.raw("i32.load", 2, layout.LIST_LEN)
    s.push(value.args[1])
    s.raw("i32.wrap_i64")
    s.raw("i32.add")
    s.raw("i32.store", 2, layout.LIST_LEN)
    s.get(xs)


def _push_held(s: Selector, local: int | None, value: Value) -> None:
    """Push a value that a local holds, or a constant."""
    if local is None:
        s.push(value)
    else:
        s.get(local)


# Maps


def _map_new(s: Selector, value: Value) -> None:
    assert isinstance(value.type, MapType)
    s.raw("i32.const", layout.map_meta(value.type.key, value.type.value))
    if value.attr is None:
        s.call("map_make")
    else:
        s.raw("i32.const", *value.attr)
        s.call("map_make_small")


def _map_len(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i64.load32_u", 2, layout.MAP_LEN)


def _access_name(verb: str, key: Value) -> str:
    return f"map_{verb}_{'int' if key.type is INT else 'string'}"


def _map_find(s: Selector, value: Value) -> None:
    """Look where a known key is as a rule, before searching."""
    m, key = value.args
    if value.attr is None:
        push_all(s, value)
        s.call(_access_name("find", key))
        return
    (number,) = value.attr
    held, entries = s.hold(m), s.new_local("i32")
    s.get(held)
    s.raw("i32.load", 2, layout.MAP_ENTRIES)
    s.raw("local.tee", entries)
    s.raw("i32.load", 2, number * layout.ENTRY_SIZE + layout.ENTRY_KEY)
    s.push(key)
    s.raw("i32.eq")
    s.get(held)
    s.raw("i32.load", 2, layout.MAP_LEN)
    s.raw("i32.const", number)
    s.raw("i32.gt_u")
    s.raw("i32.and")
    s.raw("if", "i32")
    _push_entry(s, entries, number)
    s.raw("else")
    s.get(held)
    s.push(key)
    s.call(_access_name("find", key))
    s.raw("end")


def _push_entry(s: Selector, entries: int, number: int) -> None:
    s.get(entries)
    s.raw("i32.const", number * layout.ENTRY_SIZE)
    s.raw("i32.add")


def _map_insert(s: Selector, value: Value) -> None:
    """Append an entry where its key is known to be new; its hash is for larger maps."""
    m, key = value.args
    if value.attr is None:
        push_all(s, value)
        s.call(_access_name("insert", key))
        return
    (number,) = value.attr
    held, entries = s.hold(m), s.new_local("i32")
    s.get(held)
    s.raw("i32.const", number + 1)
    s.raw("i32.store", 2, layout.MAP_LEN)
    s.get(held)
    s.raw("i32.load", 2, layout.MAP_ENTRIES)
    s.raw("local.tee", entries)
    word = s.hold(key)
    s.get(word)
    s.raw("i32.store", 2, number * layout.ENTRY_SIZE + layout.ENTRY_KEY)
    s.get(entries)
    s.raw("i64.const", 0)
    s.raw("i64.store", 3, number * layout.ENTRY_SIZE + layout.ENTRY_VALUE)
    retain_plain(s, word)
    _push_entry(s, entries, number)


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
    "list.swap": _list_swap,
    "list.append": _list_append, "list.reserve": _list_reserve,
    "list.room": _list_room, "list.shortest": _list_shortest, "list.extend": _list_extend,
    "map.new": _map_new, "map.len": _map_len,
    "map.find": _map_find, "map.insert": _map_insert,
    "entry.load": _entry_load, "entry.store": _entry_store, "entry.vacate": _entry_vacate,
}  # fmt: skip
