"""The operators of two operands, and casts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tests.reference.values import LEAST, MOST, Big, Failure, Map, equal, text, whole

if TYPE_CHECKING:
    from collections.abc import Callable


def quotient(left: int, right: int) -> int:
    """Return the quotient of two ints, truncated."""
    if right == 0:
        raise Failure("division by zero")
    result = abs(left) // abs(right)
    return result if (left < 0) == (right < 0) else -result


def remainder(left: int, right: int) -> int:
    """Return the remainder of two ints, with the sign of the dividend."""
    if right == 0:
        raise Failure("division by zero")
    result = abs(left) % abs(right)
    return -result if left < 0 else result


def multiply(left: float, right: float) -> float:
    """Return a product of floats."""
    return float(left) * float(right)


def divide(left: float, right: float) -> float:
    """Return a quotient of floats."""
    if right == 0:
        raise Failure("division by zero")
    return float(left) / float(right)


def float_remainder(left: float, right: float) -> float:
    """Return the remainder of floats, with the sign of the dividend."""
    if right == 0:
        raise Failure("division by zero")
    return math.nan if math.isinf(left) else math.fmod(left, right)


_INT: dict[str, Callable[[int, int], int]] = {
    "+": lambda left, right: int(left) + int(right),
    "-": lambda left, right: int(left) - int(right),
    "*": lambda left, right: int(left) * int(right),
    "/": quotient,
    "%": remainder,
}
_FLOAT: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: float(left) + float(right),
    "-": lambda left, right: float(left) - float(right),
    "*": multiply,
    "/": divide,
    "%": float_remainder,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def binary(op: str, left: Any, right: Any) -> Any:
    """Return the result of an operator; those that are lazy are none of these."""
    if op in {"==", "!="}:
        return equal(left, right) == (op == "==")
    if op == "in":
        return is_in(left, right)
    if op in {"union", "union all", "except", "intersect"}:
        return _SETS[op](left, right)
    if isinstance(left, str) and isinstance(right, str):
        return left + right if op == "+" else _ORDER[op](left.encode(), right.encode())
    if isinstance(left, list) and op == "+":
        return left + right
    if left is None or right is None:
        raise Failure("null where a value is needed")
    if op in _ORDER:
        return _ORDER[op](left, right)
    if not (isinstance(left, int) and isinstance(right, int)):
        return _FLOAT[op](left, right)
    is_big = isinstance(left, Big) or isinstance(right, Big)
    return (Big if is_big else whole)(_INT[op](left, right))


def is_in(item: Any, container: Any) -> bool:
    """Return whether a container has an element, a key or a part."""
    if isinstance(container, str):
        return item in container
    if isinstance(container, Map):
        return text(item) in container.rows
    return any(equal(item, other) for other in container)


def distinct(items: list[Any]) -> list[Any]:
    """Return the first of equal elements."""
    result: list[Any] = []
    for item in items:
        if not is_in(item, result):
            result.append(item)
    return result


_SETS: dict[str, Callable[[list[Any], list[Any]], list[Any]]] = {
    "union": lambda left, right: distinct(left + right),
    "union all": lambda left, right: left + right,
    "except": lambda left, right: [item for item in left if not is_in(item, right)],
    "intersect": lambda left, right: distinct([item for item in left if is_in(item, right)]),
}


def to_int(value: float | str) -> int:
    """Return a number as an int: the nearest towards zero that there is."""
    if isinstance(value, float):
        if math.isnan(value):
            return 0
        return max(
            LEAST,
            min(MOST, int(value) if math.isfinite(value) else int(math.copysign(2**70, value))),
        )
    return int(value)
