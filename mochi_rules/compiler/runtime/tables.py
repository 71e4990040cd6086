"""Static tables of the runtime library, computed rather than copied."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.compiler.lower import layout
from mochi_rules.compiler.runtime.cases import PAIRS, TO_LOWER, TO_UPPER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mochi_rules.compiler.runtime.cases import Row


def ascii_strings() -> bytes:
    """Return the strings of one ASCII character as immortal objects, 24 bytes each."""
    header = struct.pack("<IIIII", layout.IMMORTAL, layout.KIND_STRING, 1, 1, 1)
    return b"".join(header + bytes([byte, 0, 0, 0]) for byte in range(128))


def _case_table(rows: Iterable[Row]) -> bytes:
    """Return the rows in the order of code points; unicode.mochi says how they lie."""
    packed = b"".join(
        struct.pack("<Ii", first | (count - 1) * step << 21 | step - 1 << 31, delta)
        for first, count, step, delta in sorted(rows)
    )
    return struct.pack("<II", len(packed) // 8, 0) + packed


def upper_cases() -> bytes:
    """Return what maps to upper case."""
    return _case_table([*PAIRS, *TO_UPPER])


def lower_cases() -> bytes:
    """Return what maps to lower case."""
    back = [(first + delta, count, step, -delta) for first, count, step, delta in PAIRS]
    return _case_table([*back, *TO_LOWER])


TABLES: dict[str, Callable[[], bytes]] = {
    "ascii": ascii_strings,
    "upper_cases": upper_cases,
    "lower_cases": lower_cases,
}
