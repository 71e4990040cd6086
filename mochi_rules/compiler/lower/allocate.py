"""Allocates objects of known size without a call where a block of their size class is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.lower import object_layout as layout

if TYPE_CHECKING:
    from mochi_rules.compiler.lower.select import Selector

LARGEST = 1024  # bytes: up to here a size class is a multiple of STEP
STEP = 16


def rounded(size: int) -> int:
    """Return the size of the block for `size` bytes, which are at most LARGEST."""
    return -(-size // STEP) * STEP


def make_object(s: Selector, size: int) -> int:
    """Allocate an object whose meta word is on the stack; return the local that holds it."""
    meta = s.hold_top("i32")
    if size > LARGEST:
        s.raw("i32.const", size)
        s.raw("local.get", meta)
        s.call("object_make")
        return s.hold_top("i32")
    object_ = _take_block(s, rounded(size))
    s.raw("local.get", object_)
    s.raw("i32.const", 1)
    s.raw("i32.store", 2, layout.RC)
    s.raw("local.get", object_)
    s.raw("local.get", meta)
    s.raw("i32.store", 2, layout.META)
    s.count_object()
    return object_


def _take_block(s: Selector, size: int) -> int:
    """Take the first block of a free list, or a fresh one."""
    block = s.new_local("i32")
    first = layout.FREE_LISTS + size // STEP * 4
    s.raw("i32.const", 0)
    s.raw("i32.load", 2, first)
    s.raw("local.tee", block)
    s.raw("if", None)
    s.raw("i32.const", 0)
    s.raw("local.get", block)
    s.raw("i32.load", 2, 0)
    s.raw("i32.store", 2, first)
    s.raw("else")
    s.raw("i32.const", size)
    s.call("block_fresh")
    s.raw("local.set", block)
    s.raw("end")
    return block
