"""Mochi values in an instance's memory, from Python values and back.

None, bool, int, float and str are themselves. A list is a list of any, `Typed` one of a scalar
type; a dict is a map with string keys and values of any, `IntMap` one with int keys. A struct is
a `Struct`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from mochi_rules.compiler.lower import object_layout as layout

if TYPE_CHECKING:
    from conftest import Instance

BASICS = (
    "box_int", "box_float", "list_make", "list_append_int", "list_append_float",
    "list_append_bool", "list_append_ref", "map_make", "map_make_small", "map_insert_string",
    "map_insert_int",
)  # fmt: skip

_CODES = {layout.SLOT_INT: "<q", layout.SLOT_FLOAT: "<d", layout.SLOT_BOOL: "<B"}
_SLOTS = {int: layout.SLOT_INT, float: layout.SLOT_FLOAT, bool: layout.SLOT_BOOL}
_NAMES = {layout.SLOT_INT: "int", layout.SLOT_FLOAT: "float", layout.SLOT_BOOL: "bool"}
ANY_MAP = layout.KIND_MAP | layout.SLOT_REF << 4 | layout.SLOT_REF << 8
INT_KEYS = layout.KIND_MAP | layout.SLOT_INT << 4 | layout.SLOT_REF << 8

INTS = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3) | st.integers(-(2**31), 2**31)
SCALARS = st.none() | st.booleans() | INTS | st.floats(allow_nan=False) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)


class Typed(list[Any]):
    """A list of ints, floats or bools; `element` is which."""

    def __init__(self, element: type, items: Any = ()) -> None:
        super().__init__(items)
        self.element = element


class IntMap(dict[int, Any]):
    """A map with int keys and values of any type."""


@dataclass
class Struct:
    """A struct: all fields are of type any."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)


def meta(instance: Instance, name: str, fields: list[str]) -> int:
    """Place the descriptor of a struct type; return the meta word of its objects."""
    rows = [
        (name, layout.HEADER + 4 * number, layout.SLOT_REF) for number, name in enumerate(fields)
    ]
    rows = sorted([*rows, ("__name", 0, layout.SLOT_NAME)], key=lambda row: row[0].encode())
    size = -(-(layout.HEADER + 4 * len(fields)) // 8) * 8
    refs = [offset for _, offset, slot in rows if slot == layout.SLOT_REF]
    start, end = (min(refs), max(refs) + 4) if refs else (0, 0)
    packed = struct.pack("<IIIIII", size, len(rows), immortal(instance, name), 0, start, end)
    for text, offset, slot in rows:
        packed += struct.pack("<III", immortal(instance, text), offset, slot)
    address = instance.block_make(len(packed))
    instance.poke(address, packed)
    return address | layout.KIND_STRUCT


def immortal(instance: Instance, text: str) -> int:
    """Make a string as the compiler makes those of a program."""
    data = text.encode()
    address = instance.block_make(layout.STRING_DATA + len(data))
    header = struct.pack(
        "<IIIII", layout.IMMORTAL, layout.KIND_STRING, len(data), len(text), len(data)
    )
    instance.poke(address, header + data)
    return address


def build(instance: Instance, value: Any) -> int:
    """Return a tagged word, owned by the caller."""
    match value:
        case None:
            return layout.NULL_WORD
        case bool():
            return layout.TRUE_WORD if value else layout.FALSE_WORD
        case int():
            return instance.box_int(value)
        case float():
            return instance.box_float(value)
        case str() | bytes():
            return instance.string(value)
        case Typed():
            return _typed(instance, value)
        case list():
            return _list(instance, value)
        case Struct():
            return _struct(instance, value)
        case dict():
            return _map(instance, value)
    raise TypeError(value)


def _typed(instance: Instance, value: Typed) -> int:
    slot = _SLOTS[value.element]
    xs = instance.list_make(0, slot)
    for item in value:
        xs = getattr(instance, f"list_append_{_NAMES[slot]}")(xs, item)
    return xs


def _list(instance: Instance, value: list[Any]) -> int:
    xs = instance.list_make(0, layout.SLOT_REF)
    for item in value:
        xs = instance.list_append_ref(xs, build(instance, item))
    return xs


def _struct(instance: Instance, value: Struct) -> int:
    described = meta(instance, value.name, list(value.fields))
    size = -(-(layout.HEADER + 4 * len(value.fields)) // 8) * 8
    address = instance.object_make(size, described)
    words = [build(instance, item) & 0xFFFF_FFFF for item in value.fields.values()]
    instance.poke(address + layout.HEADER, struct.pack(f"<{len(words)}I", *words))
    return address


def _map(instance: Instance, value: dict[Any, Any]) -> int:
    is_int = isinstance(value, IntMap)
    address = instance.map_make(INT_KEYS if is_int else ANY_MAP)
    for key, item in value.items():
        word = build(instance, item)
        if is_int:
            entry = instance.map_insert_int(address, key)
        else:
            text = instance.string(key)
            entry = instance.map_insert_string(address, text)
            instance.release(text)
        instance.poke(entry + layout.ENTRY_VALUE, struct.pack("<I", word & 0xFFFF_FFFF))
    return address


def read(instance: Instance, word: int) -> Any:
    """Return the value of a tagged word; a list keeps no type, a map's entries no order."""
    word &= 0xFFFF_FFFF
    if word in _IMMEDIATES:
        return _IMMEDIATES[word]
    if word & 1:
        return (word - 2**32 if word >= 2**31 else word) >> 1
    described = instance.word(word + layout.META)
    kind = described & 15
    if kind == layout.KIND_INT:
        return struct.unpack("<q", instance.memory(word + layout.BOX_VALUE, 8))[0]
    if kind == layout.KIND_FLOAT:
        return struct.unpack("<d", instance.memory(word + layout.BOX_VALUE, 8))[0]
    if kind == layout.KIND_STRING:
        return instance.text(word)
    if kind == layout.KIND_LIST:
        return _read_list(instance, word, described >> 4)
    if kind == layout.KIND_MAP:
        return _read_map(instance, word, described >> 4 & 15, described >> 8)
    return _read_struct(instance, word, described - kind)


_IMMEDIATES = {layout.NULL_WORD: None, layout.FALSE_WORD: False, layout.TRUE_WORD: True}


def _slot(instance: Instance, address: int, slot: int) -> Any:
    if slot == layout.SLOT_REF:
        return read(instance, instance.word(address))
    code = _CODES[slot]
    (value,) = struct.unpack(code, instance.memory(address, struct.calcsize(code)))
    return bool(value) if slot == layout.SLOT_BOOL else value


def _read_list(instance: Instance, xs: int, slot: int) -> list[Any]:
    count, room = (instance.word(xs + offset) for offset in (layout.LIST_LEN, layout.LIST_CAP))
    assert count <= room
    size = layout.list_element_size(slot)
    return [_slot(instance, xs + layout.LIST_DATA + n * size, slot) for n in range(count)]


def _read_map(instance: Instance, m: int, key_slot: int, slot: int) -> dict[Any, Any]:
    entry = instance.word(m + layout.MAP_ENTRIES)
    found = {}
    for _ in range(instance.word(m + layout.MAP_LEN)):
        place = entry + (layout.ENTRY_KEY if key_slot == layout.SLOT_REF else layout.ENTRY_INT_KEY)
        found[_slot(instance, place, key_slot)] = _slot(instance, entry + layout.ENTRY_VALUE, slot)
        entry += layout.ENTRY_SIZE
    return found


def _read_struct(instance: Instance, address: int, descriptor: int) -> Struct:
    result = Struct(instance.text(instance.word(descriptor + layout.DESCRIPTOR_NAME)))
    for number in range(instance.word(descriptor + layout.DESCRIPTOR_COUNT)):
        row = descriptor + layout.DESCRIPTOR_FIELDS + number * layout.FIELD_SIZE
        name, offset, slot = struct.unpack("<III", instance.memory(row, layout.FIELD_SIZE))
        if slot != layout.SLOT_NAME:
            result.fields[instance.text(name)] = _slot(instance, address + offset, slot)
    return result
