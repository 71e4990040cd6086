"""Allocates objects of known size without a call where a block of their size class is free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.wasm.template import Template

if TYPE_CHECKING:
    from mochi_rules.compiler.lower.select import Selector

LARGEST = 1024  # bytes: up to here a size class is a multiple of STEP
STEP = 16

# Takes the first block of a free list, or a fresh one.
_MAKE = Template(f"""
    i32.const 0  i32.load offset=$first  local.tee $object
    if
        i32.const 0  local.get $object  i32.load  i32.store offset=$first
    else
        i32.const $size  call block_fresh  local.set $object
    end
    local.get $object  i32.const 1  i32.store offset={layout.RC}
    local.get $object  local.get $meta  i32.store offset={layout.META}""")


def rounded(size: int) -> int:
    """Return the size of the block for `size` bytes, which are at most LARGEST."""
    return -(-size // STEP) * STEP


def make_object(s: Selector, size: int) -> int:
    """Allocate an object whose meta word is on the stack; return the local that holds it."""
    meta = s.hold_top("i32")
    if size > LARGEST:
        s.raw("i32.const", size)
        s.get(meta)
        s.call("object_make")
        return s.hold_top("i32")
    block, object_ = rounded(size), s.new_local("i32")
    s.emit(_MAKE, layout.FREE_LISTS + block // STEP * 4, object_, block, meta)
    s.count_object()
    return object_
