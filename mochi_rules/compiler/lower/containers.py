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
    push_all,
    retain_plain,
    store_slot,
    vacate_slot,
)
from mochi_rules.wasm.template import Template

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector


SLOT_NAMES = ("int", "float", "bool", "ref")
_FARTHEST = 8  # elements that an index may be above what is computed; no list begins so low
_ELEMENT_STORES = (*SLOT_STORES[:2], BYTE_STORE, SLOT_STORES[3])
_ELEMENT_SIZES = tuple(map(layout.list_element_size, range(len(SLOT_NAMES))))

_SET_LENGTH = Template(
    f"local.get $xs i64.const $lengths i64.store offset={layout.LIST_LEN} align=4"
)
# The address of an element, less LIST_DATA, by the size of elements: the list and an index are on
# the stack.
_ELEMENT = {
    1: Template("i32.wrap_i64 i32.add"),
    4: Template("i32.wrap_i64 i32.const 2 i32.shl i32.add"),
    8: Template("i32.wrap_i64 i32.const 3 i32.shl i32.add"),
}
_SWAP = Template(f"""
    local.get $one  local.get $other  i32.load offset={layout.LIST_DATA}
    local.get $other  local.get $one  i32.load offset={layout.LIST_DATA}
    i32.store offset={layout.LIST_DATA}
    i32.store offset={layout.LIST_DATA}""")
# Where a list is not shared and has room, count one element more, and push where it lies.
_IF_ROOM = {
    size: Template(f"""
        local.get $xs  i32.load offset={layout.LIST_LEN}  local.tee $count
        local.get $xs  i32.load offset={layout.LIST_CAP}
        i32.ne
        local.get $xs  i32.load offset={layout.RC}  i32.const 1  i32.eq
        i32.and
        if (result i32)
            local.get $xs  local.get $count  i32.const 1  i32.add
            i32.store offset={layout.LIST_LEN}
            local.get $xs  local.get $count  i32.const {size.bit_length() - 1}  i32.shl  i32.add""")
    for size in _ELEMENT
}
_ELSE = Template("local.get $xs else local.get $xs")
_ROOM = Template(f"""
    local.get $xs  i64.load32_u offset={layout.LIST_CAP}
    local.get $xs  i64.load32_u offset={layout.LIST_LEN}
    i64.sub
    i64.const 0
    local.get $xs  i32.load offset={layout.RC}  i32.const 1  i32.eq
    select""")
_LENGTH = Template(f"local.get $xs local.get $xs i32.load offset={layout.LIST_LEN}")
_LENGTHEN = Template(f"i32.wrap_i64 i32.add i32.store offset={layout.LIST_LEN} local.get $xs")
_ENTRIES = Template(f"local.get $map i32.load offset={layout.MAP_ENTRIES} local.tee $entries")
_IS_LONGER = Template(f"""
    i32.eq
    local.get $map  i32.load offset={layout.MAP_LEN}  i32.const $number  i32.gt_u
    i32.and
    if (result i32)""")
_ENTRY = Template("local.get $entries i32.const $offset i32.add")
_COUNT_ENTRY = Template(f"local.get $map i32.const $number i32.store offset={layout.MAP_LEN}")
_FILL_ENTRY = Template("""
    local.get $key  i32.store offset=$key_at
    local.get $entries  i64.const 0  i64.store offset=$value_at""")


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
        s.emit(_SET_LENGTH, xs, room << 32 | len(value.args))
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
    s.emit(_ELEMENT[size])
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
        s.emit(_ELEMENT[_ELEMENT_SIZES[layout.SLOT_REF]])
        places.append(s.hold_top("i32"))
    s.emit(_SWAP, *places)


def _list_vacate(s: Selector, value: Value) -> None:
    offset = _push_element(s, value, layout.list_element_size(layout.SLOT_REF))
    vacate_slot(s, offset, value.args[2])


def _list_append(s: Selector, value: Value) -> None:
    """Store after the last element where the list is not shared and has room."""
    slot = layout.slot_of(value.args[1].type)
    xs = s.hold(value.args[0])
    item = None if s.is_constant(value.args[1]) else s.hold(value.args[1])
    s.emit(_IF_ROOM[_ELEMENT_SIZES[slot]], xs, s.new_local("i32"))
    _push_held(s, item, value.args[1])
    s.raw(*_ELEMENT_STORES[slot], layout.LIST_DATA)
    s.emit(_ELSE, xs)
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
    s.emit(_ROOM, s.hold(value.args[0]))


def _list_extend(s: Selector, value: Value) -> None:
    xs = s.hold(value.args[0])
    s.emit(_LENGTH, xs)
    s.push(value.args[1])
    s.emit(_LENGTHEN, xs)


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
    s.emit(_ENTRIES, held, entries)
    s.raw("i32.load", 2, number * layout.ENTRY_SIZE + layout.ENTRY_KEY)
    s.push(key)
    s.emit(_IS_LONGER, held, number)
    s.emit(_ENTRY, entries, number * layout.ENTRY_SIZE)
    s.raw("else")
    s.get(held)
    s.push(key)
    s.call(_access_name("find", key))
    s.raw("end")


def _map_insert(s: Selector, value: Value) -> None:
    """Append an entry where its key is known to be new; its hash is for larger maps."""
    m, key = value.args
    if value.attr is None:
        push_all(s, value)
        s.call(_access_name("insert", key))
        return
    (number,) = value.attr
    held, entries = s.hold(m), s.new_local("i32")
    offset = number * layout.ENTRY_SIZE
    s.emit(_COUNT_ENTRY, held, number + 1)
    s.emit(_ENTRIES, held, entries)
    word = s.hold(key)
    s.emit(_FILL_ENTRY, word, offset + layout.ENTRY_KEY, entries, offset + layout.ENTRY_VALUE)
    retain_plain(s, word)
    s.emit(_ENTRY, entries, offset)


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
