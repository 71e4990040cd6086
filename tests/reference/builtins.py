"""The builtin functions, of values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tests.reference.operators import distinct, is_in, to_int
from tests.reference.values import Big, Failure, Map, show, text, whole

if TYPE_CHECKING:
    from collections.abc import Callable


def printed(*values: Any) -> str:
    """Return the line that `print` writes: that of three and more arguments is trimmed."""
    line = " ".join(map(show, values))
    return line.strip() if len(values) > 2 else line


def index_in(kind: str, index: int, length: int) -> int:
    """Return an index from the start.

    Raises:
        Failure: It is out of range.
    """
    at = index + length if index < 0 else index
    if not 0 <= at < length:
        raise Failure(f"{kind} index out of range: {at} (len {length})")
    return at


def part(value: Any, low: int | None, high: int | None) -> Any:
    """Return a slice of a list or a string: bounds are clamped."""
    length = len(value)
    first, last = (
        max(0, min(length, bound + length if bound < 0 else bound))
        for bound in (low or 0, length if high is None else high)
    )
    return value[first : max(first, last)]


def total(items: list[Any]) -> Any:
    """Return a sum: that of ints wraps around, that of bigints does not."""
    if any(isinstance(item, float) for item in items):
        result = 0.0
        for item in items:
            result += item
        return result
    if any(isinstance(item, Big) for item in items):
        return Big(sum(items))
    return (sum(items) + 2**63) % 2**64 - 2**63


def mean(items: list[Any]) -> float:
    """Return the mean of a list; 0 of none."""
    result = 0.0
    for item in items:
        result += float(item)
    return result / len(items) if items else 0.0


def _size(value: Any) -> int:
    return 0 if value is None else len(value.rows if isinstance(value, Map) else value)


def _absolute(value: Any) -> Any:
    if isinstance(value, Big):
        return Big(abs(value))
    return whole(abs(value)) if isinstance(value, int) else math.fabs(value)


def _position(whole_: Any, item: Any) -> int:
    if isinstance(whole_, str):
        return whole_.find(item)
    return next((at for at, other in enumerate(whole_) if is_in(item, [other])), -1)


BUILTINS: dict[str, Callable[..., Any]] = {
    "len": _size,
    "count": _size,
    "str": text,
    "append": lambda items, item: [*(items or []), item],
    "concat": lambda *lists: [item for items in lists for item in items],
    "first": lambda items: items[0] if items else None,
    "last": lambda items: items[-1] if items else None,
    "reverse": lambda items: items[::-1],
    "distinct": distinct,
    "sort": sorted,
    "sum": total,
    "avg": mean,
    "min": lambda *items: min(items[0] if isinstance(items[0], list) else items, default=0),
    "max": lambda *items: max(items[0] if isinstance(items[0], list) else items, default=0),
    "abs": _absolute,
    "pow": lambda base, exponent: Big(base**exponent),  # of bigints alone
    "int": to_int,
    "float": float,
    "keys": lambda items: [key for key, _ in items.ordered()],
    "values": lambda items: [item for _, item in items.ordered()],
    "range": lambda *bounds: list(range(*bounds)),
    "contains": lambda items, item: is_in(item, items),
    "exists": lambda items: _size(items) > 0,
    "substring": part,
    "slice": part,
    "upper": str.upper,
    "lower": str.lower,
    "indexOf": _position,
    "split": str.split,
    "join": lambda items, separator: separator.join(map(text, items)),
    "repeat": lambda value, count: value * max(0, count),
    "padStart": str.rjust,
}
