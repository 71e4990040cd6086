"""Floats for tests: all kinds of them, their bits, and many at once in an instance's memory."""

from __future__ import annotations

import math
import random
import struct
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conftest import Instance


def of_bits(bits: int) -> float:
    """Return the float that 64 bits are."""
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def bits_of(x: float) -> int:
    """Return the 64 bits of a float."""
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def same(a: float, b: float) -> bool:
    """Whether two floats have the same bits, or are both NaN."""
    return (math.isnan(a) and math.isnan(b)) or bits_of(a) == bits_of(b)


def steps_between(a: float, b: float) -> int:
    """Return how many floats lie from one float to another: units in the last place."""
    places = [bits if bits < 2**63 else 2**63 - bits for bits in (bits_of(a), bits_of(b))]
    return abs(places[0] - places[1])


# Hypothesis prefers simple floats; bits are of any size and sign.
FLOATS = st.floats(width=64) | st.integers(0, 2**64 - 1).map(of_bits)
FINITE = FLOATS.filter(math.isfinite)

LARGEST, LEAST_NORMAL, LEAST = 1.7976931348623157e308, 2.2250738585072014e-308, 5e-324
EDGES = [
    0.0, 1.0, 0.1, 0.5, 1 / 3, LEAST, LEAST_NORMAL, math.nextafter(LEAST_NORMAL, 0), LARGEST,
    9007199254740991.0, 9007199254740992.0, 9007199254740994.0, 1e15, 1e16, 1e17, 1e21, 1e22, 1e23,
    999999.0, 999999.5, 1e6, 123456.0, 1234567.5, 0.0001, 0.00001, 1e-6, 9.999999e-7, 1e-7, 1e12,
    999999999999.999, 4.35, 0.3, 0.1 + 0.2, 5e-5, 8.41e21, 2.0**-44, 1.5, math.inf, math.nan,
]  # fmt: skip
EDGES += [-x for x in EDGES]
POWERS = [2.0**k for k in range(-1074, 1024)] + [float(f"1e{k}") for k in range(-323, 309)]
POWERS += [math.nextafter(x, way) for x in POWERS for way in (0.0, math.inf)]


def random_floats(count: int, seed: int) -> list[float]:
    """Return floats of random bits, and as many with few decimal digits."""
    source = random.Random(seed)
    of_any_bits = [of_bits(source.getrandbits(64)) for _ in range(count)]
    short = [
        round(source.uniform(-1, 1) * 10 ** source.randrange(12), source.randrange(9))
        for _ in range(count)
    ]
    return [*of_any_bits, *short]


def place(instance: Instance, floats: Sequence[float]) -> int:
    """Write floats into memory; return their address."""
    at = instance.block_make(8 * len(floats))
    instance.poke(at, struct.pack(f"<{len(floats)}d", *floats))
    return at


def mapped(
    instance: Instance, function: Callable[..., None], floats: Sequence[float]
) -> list[float]:
    """Return floats after a function of their address and number, which changes them."""
    at = place(instance, floats)
    function(at, len(floats))
    return list(struct.unpack(f"<{len(floats)}d", instance.memory(at, 8 * len(floats))))
