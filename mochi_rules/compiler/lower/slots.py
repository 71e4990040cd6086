"""Slots of containers: how their contents are loaded, stored, vacated and released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.lower import object_layout as layout

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Selector


SLOT_LOADS = (("i64.load", 3), ("f64.load", 3), ("i32.load", 2), ("i32.load", 2))
SLOT_STORES = (("i64.store", 3), ("f64.store", 3), ("i32.store", 2), ("i32.store", 2))
BYTE_LOAD, BYTE_STORE = ("i32.load8_u", 0), ("i32.store8", 0)


def store_slot(s: Selector, slot: int, offset: int, item: Value) -> None:
    """Store into the slot whose base is on the stack; release what was there."""
    mnemonic, align = SLOT_STORES[slot]
    if slot != layout.SLOT_REF:
        s.push(item)
        s.raw(mnemonic, align, offset)
        return
    base = s.hold_top("i32")
    s.raw("local.get", base)
    s.raw("i32.load", 2, offset)
    old = s.hold_top("i32")
    s.raw("local.get", base)
    s.push(item)
    s.raw(mnemonic, align, offset)
    # A vacated slot is null whatever its type.
    s.raw("local.get", old)
    s.call("release")


def vacate_slot(s: Selector, offset: int, old: Value) -> None:
    """Set the slot whose base is on the stack to null where it holds an object that we hold too."""
    base, held = s.hold_top("i32"), s.hold(old)
    s.raw("local.get", base)
    s.raw("i32.load", 2, offset)
    s.raw("local.get", held)
    s.raw("i32.eq")
    s.raw("if", None)
    s.raw("local.get", base)
    s.raw("i32.const", 0)
    s.raw("i32.store", 2, offset)
    s.raw("local.get", held)
    s.call("drop_reference")
    s.raw("end")


def retain_plain(s: Selector, held: int) -> None:
    """Count one reference more to an object, which is not null."""
    s.raw("local.get", held)
    s.raw("local.get", held)
    s.raw("i32.load", 2, layout.RC)
    s.raw("i32.const", 1)
    s.raw("i32.add")
    s.raw("i32.store", 2, layout.RC)


def and_unique(s: Selector, held: int) -> None:
    """Add to the condition on the stack that the object in a local has one reference."""
    s.raw("local.get", held)
    s.raw("i32.load", 2, layout.RC)
    s.raw("i32.const", 1)
    s.raw("i32.eq")
    s.raw("i32.and")


def push_all(s: Selector, value: Value) -> None:
    """Push all arguments of an instruction."""
    for arg in value.args:
        s.push(arg)


def else_call(s: Selector, function: str, *operands: int) -> None:
    """End a conditional whose other result a function of the runtime library computes."""
    s.raw("else")
    for local in operands:
        s.raw("local.get", local)
    s.call(function)
    s.raw("end")


def stop_if(s: Selector, failure: str, value: Value, *operands: int) -> None:
    """Stop the program when the top of the stack is true."""
    s.raw("if", None)
    for operand in operands:
        s.raw("local.get", operand)
    s.site(value.site)
    s.call(failure)
    s.raw("unreachable")
    s.raw("end")
