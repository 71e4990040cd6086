"""Values of a program as values of Python: how they print, compare and become text.

An int, float, bool, string and null is Python's, a list a list; null is None.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mochi_rules.compiler.syntax import ast

LEAST, MOST = -(2**63), 2**63 - 1
EXPONENT_FROM = 6  # the power of ten from which a float alone is written with an exponent
EXPONENT_BELOW = -4


class Big(int):
    """A bigint: what is computed with it has any size."""


class Failure(Exception):  # noqa: N818 - an end of the program, not of the interpreter
    """The program fails: its message, and the line once it is known."""


@dataclass(eq=False, slots=True)
class Map:
    """A map: the key and the value by the text of the key."""

    rows: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def ordered(self) -> list[tuple[Any, Any]]:
        """Return keys and values in the order of the bytes of the keys' text."""
        return [self.rows[text] for text in sorted(self.rows, key=lambda text: text.encode())]


@dataclass(eq=False, slots=True)
class Struct:
    """A struct or a variant; a method or a field that is not there is null."""

    name: str
    fields: dict[str, Any]


@dataclass(eq=False, slots=True)
class Closure:
    """A function and the scope that it is declared in."""

    declaration: ast.FunDecl
    scope: Any


def show(value: Any) -> str:
    """Return what `print` writes for an argument."""
    return value if isinstance(value, str) else "nil" if value is None else _alone(value)


def text(value: Any) -> str:
    """Return what `str` gives: nulls are `<nil>`, and elements stand without commas."""
    match value:
        case None:
            return "<nil>"
        case str():
            return value
        case list():
            return f"[{' '.join(map(text, value))}]"
        case Map():
            return f"map[{' '.join(f'{text(key)}:{text(item)}' for key, item in value.ordered())}]"
        case Struct():
            return text(_as_map(value))
    return _alone(value)


def _alone(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return float_text(value)
    return _inside(value)


def _inside(value: Any) -> str:
    """Return how a value looks inside of another that is printed."""
    match value:
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        case float():
            return _plain_float(value)
        case list():
            return f"[{', '.join(map(_inside, value))}]"
        case Map():
            rows = (f'"{text(key)}": {_inside(item)}' for key, item in value.ordered())
            return f"{{{', '.join(rows)}}}"
        case Struct():
            return _inside(_as_map(value))
        case Closure():
            return "<function>"
    return show(value)


def _as_map(value: Struct) -> Map:
    return Map({key: (key, item) for key, item in {"__name": value.name, **value.fields}.items()})


def float_text(value: float) -> str:
    """Return a float alone: the shortest digits, with an exponent where it is large or small."""
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    sign, digits, power = _digits(value)
    if value and not EXPONENT_BELOW <= power < EXPONENT_FROM:
        rest = f".{digits[1:]}" if digits[1:] else ""
        return f"{sign}{digits[0]}{rest}e{power:+03d}"
    return sign + _placed(digits, power)


def _plain_float(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return float_text(value)
    sign, digits, power = _digits(value)
    shown = _placed(digits, power)
    return sign + (shown if "." in shown else f"{shown}.0")


def _digits(value: float) -> tuple[str, str, int]:
    """Return the sign, the shortest digits, and the power of ten of the first of them."""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    power = int(exponent or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits))
    sign = "-" if math.copysign(1, value) < 0 else ""
    return sign, digits.rstrip("0") or "0", power if digits.strip("0") else 0


def _placed(digits: str, power: int) -> str:
    """Return digits with the point where it belongs."""
    if power < 0:
        return "0." + "0" * (-power - 1) + digits
    whole = digits[: power + 1].ljust(power + 1, "0")
    return whole + (f".{digits[power + 1 :]}" if digits[power + 1 :] else "")


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal: numbers by value, containers by their elements."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    match left, right:
        case list(), list():
            return len(left) == len(right) and all(map(equal, left, right))
        case Map(), Map():
            return left.rows.keys() == right.rows.keys() and all(
                equal(left.rows[key][1], right.rows[key][1]) for key in left.rows
            )
        case Struct(), Struct():
            return left.name == right.name and all(
                equal(item, right.fields[name]) for name, item in left.fields.items()
            )
        case (int() | float(), int() | float()) | (str(), str()) | (None, None):
            return bool(left == right)
    return False


def whole(value: int) -> int:
    """Return an int that the language can hold.

    Raises:
        Failure: It cannot.
    """
    if not LEAST <= value <= MOST:
        raise Failure("integer overflow")
    return value
