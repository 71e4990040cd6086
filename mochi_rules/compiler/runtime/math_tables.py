"""Tables of elementary functions, each value as a sum of two floats.

All is computed with integers, so that no bit depends on a machine's own mathematics. A fixed
number is an integer times 2**-BITS.
"""

from __future__ import annotations

import struct
from math import isqrt

BITS = 1536  # of 2/pi, 1300 matter

EXP_ROWS = 64  # powers of 2 from 0 to 1
LOG_ROWS = 64
LOG_START = 0x3FE6_A000_0000_0000  # 0.707…, as bits: 1.0 lies in the middle of a row
SINE_STEP = 32  # rows to a unit
SINE_ROWS = 26  # up to pi / 4


def _sum(first: int, factor: int, divisors: list[int]) -> int:
    """Return first + first * factor / divisors[0] + …, each term from the one before."""
    total = term = first
    for divisor in divisors:
        term = (term * factor >> BITS) // divisor
        total += term
    return total


def _atanh(numerator: int, denominator: int, sign: int) -> int:
    """Return the sum of sign**n * q**(2 * n + 1) / (2 * n + 1): artanh q, or arctan q by -1."""
    negative = numerator < 0
    power = (abs(numerator) << BITS) // denominator
    total, n = 0, 0
    while power:
        total += sign**n * (power // (2 * n + 1))
        power = power * numerator**2 // denominator**2
        n += 1
    return -total if negative else total


def pi() -> int:
    """Return pi as a fixed number: Machin's formula."""
    return 16 * _atanh(1, 5, -1) - 4 * _atanh(1, 239, -1)


def log(numerator: int, denominator: int) -> int:
    """Return the natural logarithm of a fraction as a fixed number."""
    return 2 * _atanh(numerator - denominator, numerator + denominator, 1)


def split(value: int, places: int) -> tuple[float, float]:
    """Return a fixed number as a multiple of 2**-places and the rest."""
    shift = BITS - places
    high = value + (1 << shift - 1) >> shift
    return high / (1 << places), (value - (high << shift)) / (1 << BITS)


def exp_rows() -> bytes:
    """Return 2 to the powers i / 64: the float and the rest."""
    root = 2 << BITS
    for _ in range(EXP_ROWS.bit_length() - 1):
        root = isqrt(root << BITS)
    rows, power = b"", 1 << BITS
    for _ in range(EXP_ROWS):
        rows += struct.pack("<dd", *split(power, 52))
        power = power * root >> BITS
    return rows


def log_rows() -> bytes:
    """Return for each row of floats the inverse of one of them, in nine bits, and its logarithm.

    The first part of the logarithm is a multiple of 2**-42: it is added to those of powers of two
    without an error.
    """
    rows = b""
    for row in range(LOG_ROWS):
        middle: float = struct.unpack("<d", struct.pack("<Q", LOG_START + (2 * row + 1 << 45)))[0]
        inverse = round(512 / middle)
        rows += struct.pack("<ddd", inverse / 512, *split(log(512, inverse), 42))
    return rows


def sine_rows() -> bytes:
    """Return sine and cosine of i / 32; the first part of each has 26 bits."""
    rows = b""
    for row in range(SINE_ROWS):
        x = (row << BITS) // SINE_STEP
        square = -(x * x >> BITS)
        sine = _sum(x, square, [n * (n + 1) for n in range(2, 300, 2)])
        cosine = _sum(1 << BITS, square, [n * (n + 1) for n in range(1, 300, 2)])
        rows += struct.pack("<dddd", *split(sine, 26), *split(cosine, 26))
    return rows


def two_over_pi() -> bytes:
    """Return 64 zeros and then 1216 bits of 2 / pi, the highest word first."""
    value = (2 << 2 * BITS) // pi()
    words = [value >> BITS - 64 * n & 2**64 - 1 for n in range(20)]
    return struct.pack("<20Q", *words)
