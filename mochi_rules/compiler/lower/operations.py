"""What each operation of the IR becomes in WebAssembly.

The fast path is inlined; whatever is rare, long or noisy is a call into the runtime library. A
handler pushes its result, if the operation has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.lower import layout
from mochi_rules.compiler.lower.layout import machine_type
from mochi_rules.compiler.types import BOOL, FLOAT, INT, WORD, MapType, Type

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir import Value
    from mochi_rules.compiler.lower.select import Selector

    Handler = Callable[[Selector, Value], None]

# Operations of two numbers: for each machine type, the wasm mnemonic.
_SAME = {
    "add": ("add", "add"), "sub": ("sub", "sub"), "mul": ("mul", "mul"),
    "div": ("div_s", "div"), "rem": ("rem_s", ""), "div_u": ("div_u", ""), "rem_u": ("rem_u", ""),
    "and": ("and", ""), "or": ("or", ""), "xor": ("xor", ""), "rotl": ("rotl", ""),
    "shl": ("shl", ""), "shr": ("shr_s", ""), "shr_u": ("shr_u", ""),
    "eq": ("eq", "eq"), "ne": ("ne", "ne"),
    "lt": ("lt_s", "lt"), "le": ("le_s", "le"), "gt": ("gt_s", "gt"), "ge": ("ge_s", "ge"),
    "lt_u": ("lt_u", ""), "le_u": ("le_u", ""), "gt_u": ("gt_u", ""), "ge_u": ("ge_u", ""),
    "clz": ("clz", ""), "ctz": ("ctz", ""),
    "abs": ("", "abs"), "sqrt": ("", "sqrt"), "floor": ("", "floor"), "ceil": ("", "ceil"),
    "trunc": ("", "trunc"), "nearest": ("", "nearest"), "copysign": ("", "copysign"),
}  # fmt: skip

# Operations that are one instruction, whatever the type.
_FIXED = {
    "not": "i32.eqz",
    "float.of_int": "f64.convert_i64_s",
    "int.of_float": "i64.trunc_sat_f64_s",
    "int.of_word": "i64.extend_i32_u",
    "int.of_word_s": "i64.extend_i32_s",
    "word.of_int": "i32.wrap_i64",
    "bits.of_float": "i64.reinterpret_f64",
    "float.of_bits": "f64.reinterpret_i64",
    "mem.pages": "memory.size",
    "mem.grow": "memory.grow",
    "mem.copy": "memory.copy",
    "mem.fill": "memory.fill",
}

# Operations that are no instruction at all.
_NOTHING = ("bool.of_word", "word.of_bool", "ref.of_word", "word.of_ref")

# Operations that are a call: of one function for all types, or of one for each slot.
_CALLS = {"string.eq": "string_eq", "list.append": "list_append_"}
SLOT_NAMES = ("int", "float", "bool", "ref")

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

_SLOT_LOADS = (("i64.load", 3), ("f64.load", 3), ("i32.load", 2), ("i32.load", 2))
_SLOT_STORES = (("i64.store", 3), ("f64.store", 3), ("i32.store", 2), ("i32.store", 2))
_BYTE_LOAD, _BYTE_STORE = ("i32.load8_u", 0), ("i32.store8", 0)


def _push_all(s: Selector, value: Value) -> None:
    for arg in value.args:
        s.push(arg)


def _numeric(name: str, of_int: str, of_float: str) -> Handler:
    def handle(s: Selector, value: Value) -> None:
        machine = machine_type(value.args[0].type)
        suffix = of_float if machine == "f64" else of_int
        assert suffix, f"{name} on {machine}"
        _push_all(s, value)
        s.raw(f"{machine}.{suffix}")

    return handle


def _fixed(mnemonic: str) -> Handler:
    def handle(s: Selector, value: Value) -> None:
        _push_all(s, value)
        s.raw(mnemonic)

    return handle


def _neg(s: Selector, value: Value) -> None:
    if value.type is FLOAT:
        s.push(value.args[0])
        s.raw("f64.neg")
        return
    machine = machine_type(value.type)
    s.raw(f"{machine}.const", 0)
    s.push(value.args[0])
    s.raw(f"{machine}.sub")


def _float_rem(s: Selector, value: Value) -> None:
    if value.type is FLOAT:
        _push_all(s, value)
        s.call("float_rem")
    else:
        _numeric("rem", "rem_s", "")(s, value)


def _select(s: Selector, value: Value) -> None:
    condition, then, otherwise = value.args
    s.push(then)
    s.push(otherwise)
    s.push(condition)
    s.raw("select")


# Constants


def _const(s: Selector, value: Value) -> None:
    s.raw(f"{machine_type(value.type)}.const", value.attr + 0)


def _null(s: Selector, value: Value) -> None:
    del value
    s.raw("i32.const", layout.NULL_WORD)


def _string(s: Selector, value: Value) -> None:
    s.raw("i32.const", s.link.static.string(value.attr))


def _address(s: Selector, value: Value) -> None:
    s.raw("i32.const", s.link.static.table(value.attr))


def _site(s: Selector, value: Value) -> None:
    s.site(value.site)


def _symbol(s: Selector, value: Value) -> None:
    s.raw("i32.const", s.link.table_index(value.attr))


# Checked arithmetic: one comparison where an operand is known, else the sign trick.


def _checked_add(s: Selector, value: Value) -> None:
    _checked_sum(s, value, "i64.add", opposite=False)


def _checked_sub(s: Selector, value: Value) -> None:
    _checked_sum(s, value, "i64.sub", opposite=True)


def _checked_sum(s: Selector, value: Value, mnemonic: str, *, opposite: bool) -> None:
    left, right = value.args
    a = s.hold(left)
    constant = s.const_of(right)
    b = None if constant is not None else s.hold(right)
    s.raw("local.get", a)
    _get_or_const(s, b, constant)
    s.raw(mnemonic)
    result = s.hold_top("i64")
    if constant is not None:
        grows = (constant >= 0) is not opposite
        s.raw("local.get", result)
        s.raw("local.get", a)
        s.raw("i64.lt_s" if grows else "i64.gt_s")
    else:
        # Overflow where the result differs in sign from a, and b does (sub) or does not (add).
        s.raw("local.get", a)
        s.raw("local.get", result)
        s.raw("i64.xor")
        _get_or_const(s, b, constant)
        s.raw("local.get", a if opposite else result)
        s.raw("i64.xor")
        s.raw("i64.and")
        s.raw("i64.const", 0)
        s.raw("i64.lt_s")
    _stop_if(s, "fail_overflow", value)
    s.raw("local.get", result)


def _get_or_const(s: Selector, local: int | None, constant: int | None) -> None:
    if local is None:
        s.raw("i64.const", constant)
    else:
        s.raw("local.get", local)


def _checked_mul(s: Selector, value: Value) -> None:
    """Multiply plainly where both operands fit 32 bits, else let the runtime look."""
    a, b = s.hold(value.args[0]), s.hold(value.args[1])
    for local in (a, b):
        s.raw("local.get", local)
        s.raw("i64.extend32_s")
        s.raw("local.get", local)
        s.raw("i64.eq")
    s.raw("i32.and")
    s.raw("if", "i64")
    s.raw("local.get", a)
    s.raw("local.get", b)
    s.raw("i64.mul")
    s.raw("else")
    s.raw("local.get", a)
    s.raw("local.get", b)
    s.site(value.site)
    s.call("mul_slow")
    s.raw("end")


def _stop_if(s: Selector, failure: str, value: Value, *operands: int) -> None:
    """Stop the program when the top of the stack is true."""
    s.raw("if", None)
    for operand in operands:
        s.raw("local.get", operand)
    s.site(value.site)
    s.call(failure)
    s.raw("unreachable")
    s.raw("end")


# Checks


def _check_index(s: Selector, value: Value) -> None:
    index, length = s.hold(value.args[0]), s.hold(value.args[1])
    s.raw("local.get", index)
    s.raw("local.get", length)
    s.raw("i64.ge_u")
    _stop_if(s, f"fail_index_{value.attr}", value, index, length)


def _check_nonzero(s: Selector, value: Value) -> None:
    operand = value.args[0]
    if s.const_of(operand):
        return
    s.push(operand)
    if operand.type is FLOAT:
        s.raw("f64.const", 0.0)
        s.raw("f64.eq")
    else:
        s.raw("i64.eqz")
    _stop_if(s, "fail_zero", value)


def _check_some(s: Selector, value: Value) -> None:
    operand = value.args[0]
    word = s.hold(operand)
    s.raw("local.get", word)
    s.raw("i32.eqz")
    _stop_if(s, "fail_null", value)
    s.raw("local.get", word)
    if layout.is_boxed(operand.type):
        _unbox(s, value.type)


def _check_expect(s: Selector, value: Value) -> None:
    s.condition(value.args[0], negated=True)
    s.raw("if", None)
    s.raw("i32.const", s.link.static.string(value.attr))
    s.site(value.site)
    s.call("fail_expect")
    s.raw("unreachable")
    s.raw("end")


# Lists


def _element_type(value: Value) -> Type:
    list_type = value.args[0].type
    return list_type.element  # type: ignore[attr-defined,no-any-return]


def _list_new(s: Selector, value: Value) -> None:
    slot = layout.slot_of(value.type.element)  # type: ignore[attr-defined]
    s.raw("i32.const", len(value.args))
    s.raw("i32.const", slot)
    s.call("list_make")
    if not value.args:
        return
    xs = s.hold_top("i32")
    load_size = layout.list_element_size(slot)
    mnemonic, align = _BYTE_STORE if slot == layout.SLOT_BOOL else _SLOT_STORES[slot]
    for number, item in enumerate(value.args):
        s.raw("local.get", xs)
        s.push(item)
        s.raw(mnemonic, align, layout.LIST_DATA + number * load_size)
    s.raw("local.get", xs)


def _list_len(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i64.load32_u", 2, layout.LIST_LEN)


def _index_wrap(s: Selector, value: Value) -> None:
    index, length = value.args
    constant = s.const_of(index)
    if constant is not None:
        s.push(index)
        if constant < 0:
            s.push(length)
            s.raw("i64.add")
        return
    held = s.hold(index)
    s.raw("local.get", held)
    s.push(length)
    s.raw("local.get", held)
    s.raw("i64.const", 63)
    s.raw("i64.shr_s")
    s.raw("i64.and")
    s.raw("i64.add")


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
    mnemonic, align = _BYTE_LOAD if slot == layout.SLOT_BOOL else _SLOT_LOADS[slot]
    s.raw(mnemonic, align, offset)


def _list_store(s: Selector, value: Value) -> None:
    item = value.args[2]
    slot = layout.slot_of(item.type)
    offset = _push_element(s, value, layout.list_element_size(slot))
    if slot == layout.SLOT_BOOL:
        s.push(item)
        s.raw(*_BYTE_STORE, offset)
    else:
        _store_slot(s, slot, offset, item)


def _store_slot(s: Selector, slot: int, offset: int, item: Value) -> None:
    """Store into the slot whose base is on the stack; release what was there."""
    mnemonic, align = _SLOT_STORES[slot]
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


def _vacate_slot(s: Selector, offset: int, old: Value) -> None:
    """Empty the slot whose base is on the stack where it holds an object that we hold too."""
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


def _list_vacate(s: Selector, value: Value) -> None:
    offset = _push_element(s, value, layout.list_element_size(layout.SLOT_REF))
    _vacate_slot(s, offset, value.args[2])


def _list_append(s: Selector, value: Value) -> None:
    _push_all(s, value)
    s.call("list_append_" + SLOT_NAMES[layout.slot_of(value.args[1].type)])


# Strings and maps


def _string_len(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i64.load32_u", 2, layout.STRING_COUNT)


def _string_eq(s: Selector, value: Value) -> None:
    _push_all(s, value)
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
        _push_all(s, value)
        s.call(f"map_{verb}_{'int' if value.args[1].type is INT else 'string'}")

    return handle


def _entry_load(s: Selector, value: Value) -> None:
    s.push(value.args[1])
    s.raw(*_SLOT_LOADS[layout.slot_of(value.type)], layout.ENTRY_VALUE)


def _entry_store(s: Selector, value: Value) -> None:
    s.push(value.args[1])
    _store_slot(s, layout.slot_of(value.args[2].type), layout.ENTRY_VALUE, value.args[2])


def _entry_vacate(s: Selector, value: Value) -> None:
    s.push(value.args[1])
    _vacate_slot(s, layout.ENTRY_VALUE, value.args[2])


# Structs, cells, globals, closures


def _allocate(s: Selector, meta: int, size: int) -> int:
    s.raw("i32.const", size)
    s.raw("i32.const", meta)
    s.call("object_make")
    return s.hold_top("i32")


def _fill(s: Selector, base: int, offset: int, item: Value) -> None:
    s.raw("local.get", base)
    s.push(item)
    s.raw(*_SLOT_STORES[layout.slot_of(item.type)], offset)


def _struct_new(s: Selector, value: Value) -> None:
    shape = s.link.shape(value.attr)
    base = _allocate(s, shape.meta, shape.size)
    for offset, item in zip(shape.offsets, value.args, strict=True):
        _fill(s, base, offset, item)
    s.raw("local.get", base)


def _field(s: Selector, value: Value) -> int:
    struct, number = value.attr
    s.push(value.args[0])
    return s.link.shape(struct).offsets[number]


def _field_load(s: Selector, value: Value) -> None:
    offset = _field(s, value)
    s.raw(*_SLOT_LOADS[layout.slot_of(value.type)], offset)


def _field_store(s: Selector, value: Value) -> None:
    offset = _field(s, value)
    _store_slot(s, layout.slot_of(value.args[1].type), offset, value.args[1])


def _field_vacate(s: Selector, value: Value) -> None:
    offset = _field(s, value)
    _vacate_slot(s, offset, value.args[1])


def _struct_is(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    if layout.is_plain_reference(value.args[0].type):
        s.raw("i32.load", 2, layout.META)
    else:
        s.call("meta_of")
    s.raw("i32.const", s.link.shape(value.attr).meta)
    s.raw("i32.eq")


def _cell_new(s: Selector, value: Value) -> None:
    content = value.args[0]
    size = layout.CELL_VALUE + 8
    base = _allocate(s, layout.cell_meta(content.type), size)
    _fill(s, base, layout.CELL_VALUE, content)
    s.raw("local.get", base)


def _cell_load(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw(*_SLOT_LOADS[layout.slot_of(value.type)], layout.CELL_VALUE)


def _cell_store(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    _store_slot(s, layout.slot_of(value.args[1].type), layout.CELL_VALUE, value.args[1])


def _cell_vacate(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    _vacate_slot(s, layout.CELL_VALUE, value.args[1])


def _global_load(s: Selector, value: Value) -> None:
    s.link.need_global(value.attr, value.type)
    s.raw("global.get", value.attr)


def _global_store(s: Selector, value: Value) -> None:
    item = value.args[0]
    s.link.need_global(value.attr, item.type)
    if not item.type.is_counted:
        s.push(item)
        s.raw("global.set", value.attr)
        return
    s.raw("global.get", value.attr)
    old = s.hold_top("i32")
    s.push(item)
    s.raw("global.set", value.attr)
    s.raw("local.get", old)
    s.call("release")


def _global_vacate(s: Selector, value: Value) -> None:
    held = s.hold(value.args[0])
    s.raw("global.get", value.attr)
    s.raw("local.get", held)
    s.raw("i32.eq")
    s.raw("if", None)
    s.raw("i32.const", 0)
    s.raw("global.set", value.attr)
    s.raw("local.get", held)
    s.call("drop_reference")
    s.raw("end")


def _closure_new(s: Selector, value: Value) -> None:
    types = tuple(arg.type for arg in value.args)
    shape = s.link.closure_shape(types)
    base = _allocate(s, shape.meta, shape.size)
    s.raw("local.get", base)
    s.raw("i32.const", s.link.table_index(value.attr))
    s.raw("i32.store", 2, layout.CLOSURE_CODE)
    for offset, item in zip(shape.offsets, value.args, strict=True):
        _fill(s, base, offset, item)
    s.raw("local.get", base)


def _closure_load(s: Selector, value: Value) -> None:
    number, types = value.attr
    s.push(value.args[0])
    offset = s.link.closure_shape(types).offsets[number]
    s.raw(*_SLOT_LOADS[layout.slot_of(value.type)], offset)


def _closure_call(s: Selector, value: Value) -> None:
    closure = s.hold(value.args[0])
    s.raw("local.get", closure)
    for arg in value.args[1:]:
        s.push(arg)
    s.raw("local.get", closure)
    s.raw("i32.load", 2, layout.CLOSURE_CODE)
    params = ("i32", *(machine_type(arg.type) for arg in value.args[1:]))
    s.raw("call_indirect", s.link.signature(params, layout.results_of(value.type)))


def _call(s: Selector, value: Value) -> None:
    _push_all(s, value)
    s.call(value.attr)


def _call_indirect(s: Selector, value: Value) -> None:
    for arg in value.args[1:]:
        s.push(arg)
    s.push(value.args[0])
    params = tuple(machine_type(arg.type) for arg in value.args[1:])
    s.raw("call_indirect", s.link.signature(params, layout.results_of(value.type)))


# Tagged words


def _any_of(s: Selector, value: Value) -> None:
    content = value.args[0]
    constant = s.const_of(content)
    if content.type is INT and constant is not None and layout.small_int(constant) is not None:
        s.raw("i32.const", layout.small_int(constant))
        return
    s.push(content)
    if content.type is INT:
        s.call("box_int")
    elif content.type is FLOAT:
        s.call("box_float")
    elif content.type is BOOL:
        s.raw("i32.const", 2)
        s.raw("i32.shl")
        s.raw("i32.const", layout.FALSE_WORD)
        s.raw("i32.or")


def _any_to(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    if value.type in (INT, FLOAT, BOOL):
        s.site(value.site)
        s.call(f"expect_{value.type}")
        return
    shape = s.link.shape_of(value.type)
    s.raw("i32.const", shape.meta if shape else layout.kind_of(value.type))
    s.site(value.site)
    s.call("expect_struct" if shape else "expect_kind")


def _any_cast(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    _unbox(s, value.type)


def _unbox(s: Selector, type_: Type) -> None:
    """Turn the tagged word on the stack, known to be of a type, into its value."""
    if type_ is INT:
        s.call("unbox_int")
    elif type_ is FLOAT:
        s.raw("f64.load", 3, layout.BOX_VALUE)
    elif type_ is BOOL:
        s.raw("i32.const", layout.TRUE_WORD)
        s.raw("i32.eq")


def _is_null(s: Selector, value: Value) -> None:
    s.push(value.args[0])
    s.raw("i32.eqz")


def _same(s: Selector, value: Value) -> None:
    _push_all(s, value)
    s.raw("i32.eq")


# Reference counts


def _retain(s: Selector, value: Value) -> None:
    operand = value.args[0]
    if not layout.is_plain_reference(operand.type):
        s.push(operand)
        s.call("retain")
        return
    held = s.hold(operand)
    s.raw("local.get", held)
    s.raw("local.get", held)
    s.raw("i32.load", 2, layout.RC)
    s.raw("i32.const", 1)
    s.raw("i32.add")
    s.raw("i32.store", 2, layout.RC)


def _release(s: Selector, value: Value) -> None:
    operand = value.args[0]
    if not layout.is_plain_reference(operand.type):
        s.push(operand)
        s.call("release")
        return
    held, count = s.hold(operand), s.new_local("i32")
    s.raw("local.get", held)
    s.raw("local.get", held)
    s.raw("i32.load", 2, layout.RC)
    s.raw("i32.const", 1)
    s.raw("i32.sub")
    s.raw("local.tee", count)
    s.raw("i32.store", 2, layout.RC)
    s.raw("local.get", count)
    s.raw("i32.eqz")
    s.raw("if", None)
    s.raw("local.get", held)
    s.call("free_object")
    s.raw("end")


# Memory


def _mem_load(s: Selector, value: Value) -> None:
    width, signed, offset = value.attr
    s.push(value.args[0])
    s.raw(*_LOADS[value.type, width, signed], offset)


def _mem_store(s: Selector, value: Value) -> None:
    width, offset = value.attr
    _push_all(s, value)
    s.raw(*_STORES[value.args[1].type, width], offset)


def _nothing(s: Selector, value: Value) -> None:
    s.push(value.args[0])


HANDLERS: dict[str, Any] = {
    **{name: _numeric(name, *suffixes) for name, suffixes in _SAME.items()},
    **{name: _fixed(mnemonic) for name, mnemonic in _FIXED.items()},
    **dict.fromkeys(_NOTHING, _nothing),
    "neg": _neg, "rem": _float_rem, "select": _select,
    "const": _const, "null": _null, "string": _string, "address": _address, "site": _site, "symbol": _symbol,
    "add.checked": _checked_add, "sub.checked": _checked_sub, "mul.checked": _checked_mul,
    "check.index": _check_index, "check.nonzero": _check_nonzero, "check.some": _check_some,
    "check.expect": _check_expect,
    "list.new": _list_new, "list.len": _list_len, "index.wrap": _index_wrap,
    "list.load": _list_load, "list.store": _list_store, "list.vacate": _list_vacate,
    "list.append": _list_append,
    "string.len": _string_len, "string.eq": _string_eq,
    "map.new": _map_new, "map.len": _map_len,
    "map.find": _map_access("find"), "map.insert": _map_access("insert"),
    "entry.load": _entry_load, "entry.store": _entry_store, "entry.vacate": _entry_vacate,
    "struct.new": _struct_new, "field.load": _field_load, "field.store": _field_store,
    "field.vacate": _field_vacate, "struct.is": _struct_is,
    "cell.new": _cell_new, "cell.load": _cell_load, "cell.store": _cell_store,
    "cell.vacate": _cell_vacate, "global.load": _global_load, "global.store": _global_store,
    "global.vacate": _global_vacate,
    "call": _call, "closure.new": _closure_new, "closure.load": _closure_load,
    "closure.call": _closure_call, "call.indirect": _call_indirect,
    "any.of": _any_of, "any.to": _any_to, "any.cast": _any_cast, "is_null": _is_null,
    "same": _same, "retain": _retain, "release": _release,
    "mem.load": _mem_load, "mem.store": _mem_store,
}  # fmt: skip
