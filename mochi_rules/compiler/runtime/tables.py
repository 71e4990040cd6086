"""Static tables of the runtime library, computed rather than copied."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from mochi_rules.compiler.runtime import math_tables
from mochi_rules.compiler.runtime.cases import PAIRS, TO_LOWER, TO_UPPER
from mochi_rules.formats.build_info import build_info_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mochi_rules.compiler.runtime.cases import Row


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


# Powers of ten from 10**-342 to 10**324, which decimal text of floats needs: every 27th as 128
# bits, from which those between follow by a multiplication with a power of five.
LEAST_TEN = -342
_MOST_TEN = 324
_TEN_STEP = 27


def power_of_ten(exponent: int) -> int:
    """Return a power of ten times a power of two: from 2**127 up to 2**128, rounded up."""
    power: int = 10 ** abs(exponent)
    size = power.bit_length()
    if exponent < 0:
        return -(-(1 << 127 + size) // power)
    return -(-(power << 128) >> size)


def powers_of_ten() -> bytes:
    """Return every 27th power of ten: the high and the low 64 bits."""
    powers = map(power_of_ten, range(LEAST_TEN, _MOST_TEN + 1, _TEN_STEP))
    return b"".join(struct.pack("<QQ", power >> 64, power % 2**64) for power in powers)


def powers_of_five() -> bytes:
    """Return 5**0 to 5**26."""
    return b"".join(struct.pack("<Q", 5**exponent) for exponent in range(_TEN_STEP))


def ten_corrections() -> bytes:
    """Return what to add to each computed power of ten, plus one: two bits each."""
    packed = 0
    for place, exponent in enumerate(range(LEAST_TEN, _MOST_TEN + 1)):
        product = power_of_ten(exponent - place % _TEN_STEP) * 5 ** (place % _TEN_STEP)
        error = power_of_ten(exponent) - (product >> product.bit_length() - 128)
        packed |= error + 1 << 2 * place
    return packed.to_bytes((_MOST_TEN - LEAST_TEN >> 2) + 1, "little")


def sha256_words() -> bytes:
    """Return the initial state of SHA-256 and its 64 constants.

    They are the first 32 bits after the point of the square and cube roots of the first primes.
    """
    primes = [n for n in range(2, 312) if all(n % k for k in range(2, math.isqrt(n) + 1))]
    roots = [math.isqrt(prime << 64) for prime in primes[:8]]
    roots += [_cube_root(prime << 96) for prime in primes]
    return b"".join(struct.pack("<I", root % 2**32) for root in roots)


def _cube_root(cube: int) -> int:
    """Return the greatest int whose cube is not greater, by Newton's method from above."""
    root = 1 << -(-cube.bit_length() // 3)
    while root**3 > cube:
        root = (2 * root + cube // root**2) // 3
    return root


def build_info() -> bytes:
    """Return build information that says nothing yet."""
    return build_info_place({})


TABLES: dict[str, Callable[[], bytes]] = {
    "build_info": build_info,
    "upper_cases": upper_cases,
    "lower_cases": lower_cases,
    "powers_of_ten": powers_of_ten,
    "powers_of_five": powers_of_five,
    "sha256_words": sha256_words,
    "ten_corrections": ten_corrections,
    "exp_rows": math_tables.exp_rows,
    "log_rows": math_tables.log_rows,
    "sine_rows": math_tables.sine_rows,
    "two_over_pi": math_tables.two_over_pi,
}
