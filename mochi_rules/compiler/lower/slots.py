"""Slots of containers: how their contents are loaded, stored, vacated and released."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.wasm.template import Template

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.ir.types import Type
    from mochi_rules.compiler.lower.select import Selector


SLOT_LOADS = (("i64.load", 3), ("f64.load", 3), ("i32.load", 2), ("i32.load", 2))
SLOT_STORES = (("i64.store", 3), ("f64.store", 3), ("i32.store", 2), ("i32.store", 2))
BYTE_LOAD, BYTE_STORE = ("i32.load8_u", 0), ("i32.store8", 0)

_TAKE_OLD = Template("local.get $base i32.load offset=$offset local.set $old local.get $base")
# A vacated slot is null whatever its type.
_RELEASE_OLD = {
    False: Template("local.get $old call release"),
    True: Template(f"""
        local.get $old
        if
            local.get $old
            local.get $old  i32.load offset={layout.RC}  i32.const 1  i32.sub  local.tee $count
            i32.store offset={layout.RC}
            local.get $count  i32.eqz
            if
                local.get $old  call free_object
            end
        end"""),
}
_DROP_REFERENCE = {
    False: "local.get $held call drop_reference",
    True: f"""
        local.get $held
        local.get $held  i32.load offset={layout.RC}  i32.const 1  i32.sub
        i32.store offset={layout.RC}""",
}
_VACATE = {
    is_plain: Template(f"""
        local.get $base  i32.load offset=$offset  local.get $held  i32.eq
        if
            local.get $base  i32.const 0  i32.store offset=$offset
            {drop}
        end""")
    for is_plain, drop in _DROP_REFERENCE.items()
}
_RETAIN = Template(f"""
    local.get $object
    local.get $object  i32.load offset={layout.RC}  i32.const 1  i32.add
    i32.store offset={layout.RC}""")


def store_slot(s: Selector, slot: int, offset: int, item: Value) -> None:
    """Store into the slot whose base is on the stack; release what was there."""
    mnemonic, align = SLOT_STORES[slot]
    if slot != layout.SLOT_REF:
        s.push(item)
        s.raw(mnemonic, align, offset)
        return
    base, old = s.hold_top("i32"), s.new_local("i32")
    s.emit(_TAKE_OLD, base, offset, old)
    s.push(item)
    s.raw(mnemonic, align, offset)
    release_slot(s, old, item.type)


def release_slot(s: Selector, old: int, type_: Type) -> None:
    """Release what was in a slot of a type."""
    if layout.is_plain_reference(type_):
        s.emit(_RELEASE_OLD[True], old, s.new_local("i32"))
    else:
        s.emit(_RELEASE_OLD[False], old)


def vacate_slot(s: Selector, offset: int, old: Value) -> None:
    """Set the slot whose base is on the stack to null where it holds an object that we hold too."""
    base, held = s.hold_top("i32"), s.hold(old)
    s.emit(_VACATE[layout.is_plain_reference(old.type)], base, offset, held)


def retain_plain(s: Selector, held: int) -> None:
    """Count one reference more to an object, which is not null."""
    s.emit(_RETAIN, held)


def push_all(s: Selector, value: Value) -> None:
    """Push all arguments of an instruction."""
    for arg in value.args:
        s.push(arg)


def else_call(s: Selector, function: str, *operands: int) -> None:
    """End a conditional whose other result a function of the runtime library computes."""
    s.emit(_else(function, len(operands)), *operands)


def stop_if(s: Selector, failure: str, value: Value) -> None:
    """Stop the program when the top of the stack is true."""
    s.emit(_stop(failure), s.packed(value.site))


@cache
def _else(function: str, operands: int) -> Template:
    return Template(f"else {_gets(operands)} call {function} end")


@cache
def _stop(failure: str) -> Template:
    return Template(f"if i32.const $site call {failure} unreachable end")


def _gets(count: int) -> str:
    return " ".join(f"local.get ${number}" for number in range(count))
