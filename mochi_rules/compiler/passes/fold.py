"""What an instruction is equal to, seen by itself: constants are folded, identities applied.

Nothing here changes when or whether a program fails: an operation that does, stays. Floats are
folded as the machine computes them, except for NaN, whose bits differ from machine to machine.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.ir.ops import OPS
from mochi_rules.compiler.ir.types import ANY, BOOL, FLOAT, INT, SCALARS, STRING, WORD, OptionalType

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.ir.types import Type

NOTHING = object()  # what a check is equal to that always holds

_MAX_WORD = 2**31  # larger ones have two spellings
_RANGES = {INT: range(-(2**63), 2**63), WORD: range(_MAX_WORD), BOOL: range(2)}


def _quotient(a: int, b: int) -> int | None:
    return None if b == 0 else abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _remainder(a: int, b: int) -> int | None:
    return None if b == 0 else abs(a) % abs(b) * (1 if a >= 0 else -1)


def _wrapped(compute: Callable[[int, int], int]) -> Callable[[int, int], int]:
    return lambda a, b: (compute(a, b) + 2**63) % 2**64 - 2**63


# By what they do to integers. A result outside of its type's range is not folded, which leaves
# words that wrap around and checked operations that overflow as they are.
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le,
    "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
_UNSIGNED = {f"{name}_u": _COMPARE[name] for name in ("lt", "le", "gt", "ge")}
_COMPUTE: dict[str, Callable[[int, int], int | None]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul,
    "add.checked": operator.add, "sub.checked": operator.sub, "mul.checked": operator.mul,
    "div": _quotient, "rem": _remainder, "div_u": _quotient, "rem_u": _remainder,
    "div.checked": _quotient,
    "and": operator.and_, "or": operator.or_, "xor": operator.xor,
}  # fmt: skip
_WRAPPED = {
    "add": _wrapped(operator.add), "sub": _wrapped(operator.sub), "mul": _wrapped(operator.mul),
    "shl": _wrapped(lambda a, b: a << (b & 63)),
}  # fmt: skip
_FLOAT: dict[str, Callable[[float, float], float]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul,
}  # fmt: skip
INVERSE = {"eq": "ne", "ne": "eq", "lt": "ge", "ge": "lt", "gt": "le", "le": "gt",
            "lt_u": "ge_u", "ge_u": "lt_u", "gt_u": "le_u", "le_u": "gt_u"}  # fmt: skip
_UNITS = {"add": 0, "sub": 0, "mul": 1, "div": 1, "shl": 0, "shr": 0, "shr_u": 0, "or": 0,
          "xor": 0, "add.checked": 0, "sub.checked": 0, "mul.checked": 1, "rotl": 0,
          "div_u": 1, "div.checked": 1}  # fmt: skip
# What compares a character where it lies in its string.
_EQUAL_IN_PLACE = {"string.char": "string.eq_at", "string.cut": "string.eq_cut"}
_ORDER_IN_PLACE = {"string.char": "string.order_at", "string.cut": "string.order_cut"}
_ADDS, _SUBTRACTS = frozenset({"add", "add.checked"}), frozenset({"sub", "sub.checked"})
_INDICES = frozenset({"check.index", "check.upper", "index.known"})
_NONZERO = frozenset({"check.nonzero", "nonzero.known"})
_COMMUTATIVE = frozenset({"add", "add.checked", "mul", "mul.checked", "and", "or", "xor", "eq",
                          "ne"})  # fmt: skip
_REFLEXIVE = {"eq": 1, "le": 1, "ge": 1, "le_u": 1, "ge_u": 1,
              "ne": 0, "lt": 0, "gt": 0, "lt_u": 0, "gt_u": 0, "sub": 0, "sub.checked": 0,
              "xor": 0}  # fmt: skip


def fold(value: Value) -> Value | object | None:
    """Return a value that an instruction is equal to, NOTHING, or None.

    The instruction itself may become a constant, or a simpler instruction, in its place.
    """
    rule = _RULES.get(value.op)
    return rule(value) if rule else None


def become_constant(value: Value, attr: float) -> None:
    """Make an instruction a constant of its type."""
    value.op, value.args, value.attr = "const", (), attr


def _constants(value: Value) -> tuple[Any, ...] | None:
    if all(arg.op == "const" for arg in value.args):
        return tuple(arg.attr for arg in value.args)
    return None


def _binary(value: Value) -> Value | object | None:
    left, right = value.args
    if left.op == "const" and right.op == "const":
        _fold_binary(value, left, right)
        return None
    if left.op == "const" and value.op in _COMMUTATIVE:
        value.args = left, right = right, left
    if left.type is FLOAT:
        is_unit = right.op == "const" and right.attr == 1.0 and value.op in ("mul", "div")
        return left if is_unit else None
    if right.op == "const" and _UNITS.get(value.op) == right.attr:
        return left
    if left is right and value.op in _REFLEXIVE:
        become_constant(value, _REFLEXIVE[value.op])
    elif right.op == "const" and right.attr == 0 and value.op in ("mul", "mul.checked", "and"):
        return right
    elif right.op == "const" and right.attr == 1 and value.op in ("rem", "rem_u"):
        become_constant(value, 0)
    return None


def _fold_binary(value: Value, left: Value, right: Value) -> None:
    compute = _fold_floats if left.type is FLOAT else _fold_integers
    result = compute(value, left.attr, right.attr)
    if result is not None:
        become_constant(value, result)


def _fold_floats(value: Value, a: float, b: float) -> float | None:
    if value.op in _COMPARE:
        return int(_COMPARE[value.op](a, b))
    if value.op == "div":
        result = a / b if b else math.nan
    else:
        result = _FLOAT[value.op](a, b) if value.op in _FLOAT else math.nan
    return result if math.isfinite(result) else None


def _fold_integers(value: Value, a: int, b: int) -> int | None:
    op, type_ = value.op, value.args[0].type
    if a not in _RANGES[type_] or b not in _RANGES[type_]:
        return None
    if op in _COMPARE:
        return int(_COMPARE[op](a, b))
    if op.endswith("_u") and (a < 0 or b < 0):
        return None
    if op in _UNSIGNED:
        return int(_UNSIGNED[op](a, b))
    compute = _COMPUTE.get(op)
    if type_ is INT:
        compute = _WRAPPED.get(op, compute)
    if compute is None:  # `in` a range searches it from end to end for anything but an int
        return None
    result = compute(a, b)
    return result if result is not None and result in _RANGES[type_] else None


def _wraps(value: Value) -> None:
    """Find that adding nothing, or multiplying by 0 or 1, never wraps around."""
    units = (0,) if value.op.startswith("add") else (0, 1)
    if any(arg.op == "const" and arg.attr in units for arg in value.args):
        become_constant(value, 0)


def _not(value: Value) -> Value | None:
    (operand,) = value.args
    if operand.op == "const":
        become_constant(value, 1 - int(operand.attr))
    elif operand.op == "not":
        return operand.args[0]
    elif operand.op in INVERSE and operand.args[0].type is not FLOAT:
        value.op, value.args = INVERSE[operand.op], operand.args
    return None


def _select(value: Value) -> Value | None:
    condition, then, otherwise = value.args
    if condition.op == "const":
        return then if condition.attr else otherwise
    return then if then is otherwise else None


def _float_of_int(value: Value) -> None:
    if found := _constants(value):
        become_constant(value, float(found[0]))


def _int_of_float(value: Value) -> None:
    found = _constants(value)
    if found and math.isfinite(found[0]) and int(found[0]) in _RANGES[INT]:
        become_constant(value, int(found[0]))


def _narrow(value: Value) -> None:
    """Fold conversions of numbers that are the same in both types."""
    found = _constants(value)
    if found and found[0] in _RANGES[WORD]:
        become_constant(value, found[0])


def _check_index(value: Value) -> Value | None:
    """Check less where the index is known, in part or as a whole."""
    index, length = value.args
    if index.op in _INDICES and index.args[1] is length:
        return index
    if index.op == "const" and index.attr >= 0 and value.op != "index.known":
        value.op = "check.upper"
        if length.op == "const" and index.attr < length.attr:
            value.op, value.attr = "index.known", None
    return None


def _check_nonzero(value: Value) -> Value | None:
    (operand,) = value.args
    is_known = operand.op in _NONZERO or (operand.op == "const" and operand.attr)
    return operand if is_known else None


def _check_expect(value: Value) -> object | None:
    found = _constants(value)
    return NOTHING if found and found[0] else None


def _has_null(type_: Type) -> bool:
    return isinstance(type_, OptionalType) or type_ is ANY or str(type_) == "null"


def _from_any(value: Value) -> Value | None:
    """Unbox a dynamic value that was boxed here."""
    (operand,) = value.args
    if operand.op in ("any.of", "widen") and operand.args[0].type is value.type:
        return operand.args[0]
    return operand if operand.type is value.type else None


def _check_some(value: Value) -> Value | None:
    (operand,) = value.args
    is_wrapped = operand.op in ("any.of", "widen") and not _has_null(value.type)
    return operand.args[0] if is_wrapped and operand.args[0].type is value.type else None


def _widen(value: Value) -> Value | None:
    (operand,) = value.args
    if operand.type is value.type:
        return operand
    if operand.op == "widen" and operand.args[0].type not in SCALARS:
        value.args = operand.args
    return None


def _is_null(value: Value) -> None:
    (operand,) = value.args
    if operand.op == "null":
        become_constant(value, 1)
    elif operand.op in ("any.of", "widen") and not _has_null(operand.args[0].type):
        become_constant(value, 0)


def _string_len(value: Value) -> None:
    (operand,) = value.args
    if operand.op == "string" and operand.type is STRING:
        become_constant(value, sum(byte & 0xC0 != 0x80 for byte in operand.attr))


def _string_eq(value: Value) -> None:
    left, right = value.args
    if left is right:
        become_constant(value, 1)
    elif left.op == right.op == "string" and left.type is right.type is STRING:
        become_constant(value, int(left.attr == right.attr))
    elif left.op == right.op == "string.char":
        value.op, value.args = "string.eq_chars", left.args + right.args
    elif left.op in _EQUAL_IN_PLACE:
        value.op, value.args = _EQUAL_IN_PLACE[left.op], (*left.args, right)
    elif right.op in _EQUAL_IN_PLACE:
        value.op, value.args = _EQUAL_IN_PLACE[right.op], (*right.args, left)


def _string_order(value: Value) -> None:
    (operand,) = value.args
    if operand.op in _ORDER_IN_PLACE:
        value.op, value.args = _ORDER_IN_PLACE[operand.op], operand.args
    elif operand.op == "string" and operand.type is STRING:
        text = operand.attr
        become_constant(value, text[0] * 2 + (len(text) > 1) if text else -1)


def _call(value: Value) -> None:
    """Cut out one character where a slice ends behind its start; the library has words instead."""
    if value.attr != "string_slice" or value.type is not STRING:
        return
    if _is_next(*value.args[1:]):
        value.op, value.args, value.attr = "string.cut", value.args[:2], None


def _is_next(low: Value, high: Value) -> bool:
    """Whether a number is known to be by 1 above another one."""
    if low.op == high.op == "const":
        return bool(low.attr >= 0 and high.attr == low.attr + 1)
    for value, other, operations in ((high, low, _ADDS), (low, high, _SUBTRACTS)):
        if value.op in operations and value.args[0] is other:
            one = value.args[1]
            return bool(one.op == "const" and one.attr == 1)
    return False


_BINARY = {*_COMPARE, *_UNSIGNED, *_COMPUTE, *_UNITS}
_RULES: dict[str, Callable[[Value], Value | object | None]] = {
    **dict.fromkeys(sorted(_BINARY), _binary),
    "add.wraps": _wraps, "mul.wraps": _wraps,
    "not": _not, "select": _select, "float.of_int": _float_of_int, "int.of_float": _int_of_float,
    "word.of_int": _narrow, "int.of_word": _narrow, "int.of_word_s": _narrow,
    "word.of_bool": _narrow, "bool.of_word": _narrow,
    "check.index": _check_index, "check.upper": _check_index, "index.known": _check_index,
    "check.nonzero": _check_nonzero, "check.expect": _check_expect,
    "any.to": _from_any, "any.cast": _from_any,
    "check.some": _check_some, "widen": _widen, "is_null": _is_null, "string.len": _string_len,
    "string.eq": _string_eq, "string.order": _string_order, "call": _call,
}  # fmt: skip
assert _RULES.keys() <= OPS.keys()
