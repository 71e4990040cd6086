"""Reference counts and raw memory in WebAssembly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import (
    FLOAT,
    INT,
    WORD,
)
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.slots import push_all, retain_plain
from mochi_rules.wasm.template import Template

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.lower.select import Handler, Selector


_LOADS = {
    (INT, 8, False): ("i64.load", 3), (INT, 4, False): ("i64.load32_u", 2),
    (INT, 4, True): ("i64.load32_s", 2), (INT, 2, False): ("i64.load16_u", 1),
    (INT, 1, False): ("i64.load8_u", 0), (FLOAT, 8, False): ("f64.load", 3),
    (WORD, 4, False): ("i32.load", 2), (WORD, 2, False): ("i32.load16_u", 1),
    (WORD, 1, False): ("i32.load8_u", 0),
}  # fmt: skip
_STORES = {
    (INT, 8): ("i64.store", 3), (INT, 4): ("i64.store32", 2), (FLOAT, 8): ("f64.store", 3),
    (WORD, 4): ("i32.store", 2), (WORD, 2): ("i32.store16", 1), (WORD, 1): ("i32.store8", 0),
}  # fmt: skip

_ALIGNMENTS = {"i32": 2, "i64": 3, "f64": 3}
_RELEASE = Template(f"""
    local.get $object
    local.get $object  i32.load offset={layout.RC}  i32.const 1  i32.sub  local.tee $count
    i32.store offset={layout.RC}
    local.get $count  i32.eqz
    if
        local.get $object  call free_object
    end""")

# Reference counts


def _retain(s: Selector, value: Value) -> None:
    operand = value.args[0]
    if not layout.is_plain_reference(operand.type):
        s.push(operand)
        s.call("retain")
        return
    retain_plain(s, s.hold(operand))


def _release(s: Selector, value: Value) -> None:
    operand = value.args[0]
    if not layout.is_plain_reference(operand.type):
        s.push(operand)
        s.call("release")
        return
    held = s.hold(operand)
    s.emit(_RELEASE, held, s.new_local("i32"))


# Memory


def _mem_load(s: Selector, value: Value) -> None:
    width, signed, offset = value.attr
    s.push(value.args[0])
    s.raw(*_LOADS[value.type, width, signed], offset)


def _mem_store(s: Selector, value: Value) -> None:
    width, offset = value.attr
    push_all(s, value)
    s.raw(*_STORES[value.args[1].type, width], offset)


def _anchor(s: Selector, value: Value) -> None:
    (operand,) = value.args
    s.raw("i32.const", layout.ANCHOR)
    s.push(operand)
    machine = layout.machine_type(operand.type)
    s.raw(f"{machine}.store", _ALIGNMENTS[machine], 0)


def _copy(s: Selector, value: Value) -> None:
    (operand,) = value.args
    machine = layout.machine_type(operand.type)
    s.push(operand)
    s.raw("i32.const", layout.ZERO)
    s.raw(f"{machine}.load", _ALIGNMENTS[machine], 0)
    s.raw(f"{machine}.add")


HANDLERS: dict[str, Handler] = {
    "retain": _retain, "release": _release, "mem.load": _mem_load, "mem.store": _mem_store,
    "anchor": _anchor, "copy": _copy,
}  # fmt: skip
