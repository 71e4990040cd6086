"""Structs, variables in memory, closures and calls in WebAssembly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import FunType
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.allocate import make_object
from mochi_rules.compiler.lower.object_layout import machine_type, signature_of
from mochi_rules.compiler.lower.slots import (
    SLOT_LOADS,
    SLOT_STORES,
    push_all,
    release_slot,
    store_slot,
    vacate_slot,
)

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector


# Structs, cells, globals, closures


def _described(s: Selector, kind: str, key: object, shape: tuple[list[int], int]) -> int:
    """Make an object whose contents a descriptor describes; return its local."""
    _, size = shape
    s.address(kind, key)
    return make_object(s, size)


def _fill(s: Selector, base: int, offset: int, item: Value) -> None:
    s.get(base)
    s.push(item)
    s.raw(*SLOT_STORES[layout.slot_of(item.type)], offset)


def _struct_new(s: Selector, value: Value) -> None:
    shape = s.struct_shape(value.attr)
    base = _described(s, "struct", value.attr, shape)
    for offset, item in zip(shape[0], value.args, strict=True):
        _fill(s, base, offset, item)
    s.get(base)


def _field(s: Selector, value: Value) -> int:
    struct, number = value.attr
    s.push(value.args[0])
    offsets, _ = s.struct_shape(struct)
    return offsets[int(number)]


def _field_load(s: Selector, value: Value) -> None:
    offset = _field(s, value)
    s.raw(*SLOT_LOADS[layout.slot_of(value.type)], offset)


def _field_store(s: Selector, value: Value) -> None:
    offset = _field(s, value)
    store_slot(s, layout.slot_of(value.args[1].type), offset, value.args[1])


def _field_vacate(s: Selector, value: Value) -> None:
    offset = _field(s, value)
    vacate_slot(s, offset, value.args[1])


def _struct_is(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    if layout.is_plain_reference(value.args[0].type):
        s.raw("i32.load", 2, layout.META)
    else:
        s.call("meta_of")
    s.address("struct", value.attr)
    s.raw("i32.eq")


def _cell_new(s: Selector, value: Value) -> None:
    content = value.args[0]
    s.raw("i32.const", layout.cell_meta(content.type))
    base = make_object(s, layout.CELL_VALUE + 8)
    _fill(s, base, layout.CELL_VALUE, content)
    s.get(base)


def _cell_load(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw(*SLOT_LOADS[layout.slot_of(value.type)], layout.CELL_VALUE)


def _cell_store(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    store_slot(s, layout.slot_of(value.args[1].type), layout.CELL_VALUE, value.args[1])


def _cell_vacate(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    vacate_slot(s, layout.CELL_VALUE, value.args[1])


def _global_load(s: Selector, value: Value) -> None:
    s.globals[value.attr] = value.type
    s.name("global.get", value.attr)


def _global_store(s: Selector, value: Value) -> None:
    item = value.args[0]
    s.globals[value.attr] = item.type
    if not item.type.is_counted:
        s.push(item)
        s.name("global.set", value.attr)
        return
    s.name("global.get", value.attr)
    old = s.hold_top("i32")
    s.push(item)
    s.name("global.set", value.attr)
    release_slot(s, old, item.type)


def _global_vacate(s: Selector, value: Value) -> None:
    held = s.hold(value.args[0])
    s.name("global.get", value.attr)
    s.get(held)
    s.raw("i32.eq")
    s.raw("if", None)
    s.raw("i32.const", 0)
    s.name("global.set", value.attr)
    s.get(held)
    s.call("drop_reference")
    s.raw("end")


def _closure_new(s: Selector, value: Value) -> None:
    types = tuple(arg.type for arg in value.args)
    shape = layout.closure_shape(types)
    assert isinstance(value.type, FunType)
    base = _described(s, "closure", (signature_of(value.type), types), shape)
    s.get(base)
    s.address("function", value.attr)
    s.raw("i32.store", 2, layout.CLOSURE_CODE)
    for offset, item in zip(shape[0], value.args, strict=True):
        _fill(s, base, offset, item)
    s.get(base)


def _closure_load(s: Selector, value: Value) -> None:
    number, types = value.attr
    s.push(value.args[0])
    offsets, _ = layout.closure_shape(types)
    s.raw(*SLOT_LOADS[layout.slot_of(value.type)], offsets[number])


def _closure_call(s: Selector, value: Value) -> None:
    closure = s.hold(value.args[0])
    s.get(closure)
    for arg in value.args[1:]:
        s.push(arg)
    s.get(closure)
    s.raw("i32.load", 2, layout.CLOSURE_CODE)
    params = ("i32", *(machine_type(arg.type) for arg in value.args[1:]))
    s.call_indirect(params, value.type)


def _call(s: Selector, value: Value) -> None:
    push_all(s, value)
    s.call(value.attr)


def _call_indirect(s: Selector, value: Value) -> None:
    for arg in value.args[1:]:
        s.push(arg)
    s.push(value.args[0])
    params = tuple(machine_type(arg.type) for arg in value.args[1:])
    s.call_indirect(params, value.type)


HANDLERS: dict[str, Handler] = {
    "struct.new": _struct_new, "field.load": _field_load, "field.store": _field_store,
    "field.vacate": _field_vacate, "struct.is": _struct_is,
    "cell.new": _cell_new, "cell.load": _cell_load, "cell.store": _cell_store,
    "cell.vacate": _cell_vacate, "global.load": _global_load, "global.store": _global_store,
    "global.vacate": _global_vacate,
    "call": _call, "closure.new": _closure_new, "closure.load": _closure_load,
    "closure.call": _closure_call, "call.indirect": _call_indirect,
}  # fmt: skip
