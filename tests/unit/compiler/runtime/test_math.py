"""Elementary functions of the runtime library: accuracy against Python's, and special cases."""

from __future__ import annotations

import math
import random

import pytest
from floats import EDGES, FLOATS, POWERS, mapped, of_bits, same, steps_between
from hypothesis import given

from mochi_rules.compiler.runtime import math_tables

UNARY = ("sin", "cos", "tan", "exp", "log")
_MAP = """
fun map_{0}(at: word, count: word): void {{
  var i: word = 0
  while i != count {{
    storef(at + i * 8, float_{0}(loadf(at + i * 8)))
    i = i + 1
  }}
}}
"""
_MAP_POW = """
fun map_pow(at: word, count: word): void {
  var i: word = 0
  while i != count {
    storef(at + i * 8, float_pow(loadf(at + i * 8), loadf(at + i * 8 + 8)))
    i = i + 2
  }
}
"""
SOURCE = "".join(_MAP.format(name) for name in UNARY) + _MAP_POW
RUNTIME = tuple(f"{kind}_{name}" for name in (*UNARY, "pow") for kind in ("float", "map"))
COUNT = 5_000


def by_python(function, *args: float) -> float:
    """Return what Python has; NaN and infinity where it raises an error instead."""
    try:
        return function(*args)
    except ValueError:
        return math.nan
    except OverflowError:
        return math.inf


def uniform(low: float, high: float, seed: int = 0) -> list[float]:
    """Return random floats."""
    source = random.Random(seed)
    return [source.uniform(low, high) for _ in range(COUNT)]


def of_any_size() -> list[float]:
    """Return random positive finite floats of all exponents."""
    source = random.Random(1)
    return [of_bits(source.getrandbits(63) % (0x7FF << 52)) for _ in range(COUNT)]


def assert_close(found, wanted) -> None:
    """No result is further than a float from Python's, and nearly all are the same.

    Python's own are not always the nearest: about two of a thousand are the float next to it.
    """
    different = 0
    for a, b in zip(found, wanted, strict=True):
        if not same(a, b):
            different += 1
            assert steps_between(a, b) <= 1, (a, b)
    assert different <= len(found) * 0.01


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
@pytest.mark.parametrize("limit", [0.01, 1, math.pi, 1000, 1e6, 1e7, 1e15, 1e22, 1e300])
def test_angles_of_every_size_are_reduced(shared, name, limit) -> None:
    """Sine, cosine and tangent of small and huge angles."""
    instance = shared()
    angles = uniform(-limit, limit)
    wanted = [getattr(math, name)(x) for x in angles]
    assert_close(mapped(instance, getattr(instance, f"map_{name}"), angles), wanted)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_angles_next_to_multiples_of_a_right_angle_are_exact(shared, name) -> None:
    """Where nearly all digits cancel, the reduction has enough of them."""
    instance = shared()
    angles = [math.nextafter(n * math.pi / 2, way) for n in range(1, 3000) for way in (0, math.inf)]
    wanted = [getattr(math, name)(x) for x in angles]
    assert_close(mapped(instance, getattr(instance, f"map_{name}"), angles), wanted)


def fixed_sine(x: float, quarter_turns: int) -> float:
    """Return the sine of an angle and so many right angles, from 1536 bits of pi."""
    one = 1 << math_tables.BITS
    numerator, denominator = x.as_integer_ratio()
    angle = (numerator << math_tables.BITS) // denominator + quarter_turns * math_tables.pi() // 2
    angle = (angle + math_tables.pi()) % (2 * math_tables.pi()) - math_tables.pi()
    total = term = angle
    for n in range(2, 400, 2):
        term = -(term * angle * angle >> 2 * math_tables.BITS) // (n * (n + 1))
        total += term
    return total / one


@pytest.mark.parametrize(
    "x", [6381956970095103 * 2.0**797, 1e22, 1.7976931348623157e308, 5319372648326541 * 2.0**800]
)
def test_the_hardest_angles_have_all_their_digits(shared, x) -> None:
    """The float nearest to a multiple of a right angle, and others of hundreds of digits."""
    instance = shared()
    assert steps_between(instance.float_sin(x), fixed_sine(x, 0)) <= 1
    assert steps_between(instance.float_cos(x), fixed_sine(x, 1)) <= 1
    quotient = fixed_sine(x, 0) / fixed_sine(x, 1)
    assert steps_between(instance.float_tan(x), quotient) <= 2


@pytest.mark.parametrize("limits", [(-1, 1), (-20, 20), (-746, 710), (-745.2, -708)])
def test_exponentials_are_close(shared, limits) -> None:
    """Small and large, and those below the least normal number, which are rounded only once."""
    instance = shared()
    xs = uniform(*limits)
    assert_close(mapped(instance, instance.map_exp, xs), [by_python(math.exp, x) for x in xs])


@pytest.mark.parametrize(
    "xs", [uniform(0, 10), uniform(0.98, 1.02), of_any_size(), [x for x in POWERS if x]]
)
def test_logarithms_are_close(shared, xs) -> None:
    """Around 1, where digits cancel, and of all sizes."""
    instance = shared()
    assert_close(mapped(instance, instance.map_log, xs), [math.log(x) for x in xs])


@pytest.mark.parametrize(
    ("bases", "exponents"),
    [
        (uniform(0, 10), uniform(-10, 10, 2)),
        (of_any_size(), uniform(-2, 2)),
        (uniform(0.99999, 1.00001), uniform(-1e7, 1e7, 2)),
        ([float(n % 200 - 100) for n in range(COUNT)], [float(n // 200) for n in range(COUNT)]),
        (uniform(-10, 10), [float(n % 41 - 20) for n in range(COUNT)]),
    ],
    ids=["small", "large", "near one", "whole", "whole exponents"],
)
def test_powers_are_close(shared, bases, exponents) -> None:
    """Bases of all sizes; whole powers of whole numbers are exact where they are floats."""
    instance = shared()
    pairs = [value for pair in zip(bases, exponents, strict=True) for value in pair]
    found = mapped(instance, instance.map_pow, pairs)[::2]
    wanted = [by_python(math.pow, x, y) for x, y in zip(bases, exponents, strict=True)]
    assert_close(found, wanted)
    for x, y, power in zip(bases, exponents, found, strict=True):
        if x.is_integer() and y.is_integer() and y >= 0 and abs(x) ** y < 2**53:
            assert power == int(x) ** int(y)


SPECIAL = [*EDGES, -1.0, 2.0, -2.0, 3.0, -3.0, 2.0**53 - 1, 1 - 2.0**53, 2.0**53, 1e308, -1e308]


@pytest.mark.parametrize("name", UNARY)
def test_special_values_are_those_of_ieee(shared, name) -> None:
    """Infinities, NaN, both zeros, and the ends of the range."""
    for x in SPECIAL:
        wanted = -math.inf if name == "log" and x == 0 else by_python(getattr(math, name), x)
        found = getattr(shared(), f"float_{name}")(x)
        assert same(found, wanted) or steps_between(found, wanted) <= 1, x


def ieee_power(x: float, y: float) -> float:
    """Return a power where Python raises an error instead of giving what IEEE 754 does."""
    odd = y.is_integer() and abs(y) < 2**53 and int(y) % 2 == 1
    if x == 0 and y < 0:
        return math.copysign(math.inf, x) if odd else math.inf
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and odd else math.inf
    except ValueError:
        return math.nan


def test_special_powers_are_those_of_ieee(shared) -> None:
    """Every pair of zeros, ones, infinities, NaN, odd and even numbers and fractions."""
    for x in SPECIAL:
        for y in SPECIAL:
            found, wanted = shared().float_pow(x, y), ieee_power(x, y)
            assert same(found, wanted) or steps_between(found, wanted) <= 1, (x, y)


@given(x=FLOATS)
def test_sines_are_odd_and_cosines_even(shared, x) -> None:
    """The sign of the angle turns the sign of sine and tangent, to the bit."""
    instance = shared()
    assert same(instance.float_sin(-x), -instance.float_sin(x))
    assert same(instance.float_tan(-x), -instance.float_tan(x))
    assert same(instance.float_cos(-x), instance.float_cos(x))


def test_tables_are_nearest_to_what_they_say() -> None:
    """The constants behind the tables, against those of Python."""
    one = 1 << math_tables.BITS
    assert math_tables.pi() / one == math.pi
    assert math_tables.log(2, 1) / one == math.log(2)
    for value, places in ((math_tables.pi(), 20), (-math_tables.log(3, 1), 42)):
        high, low = math_tables.split(value, places)
        assert (high * 2**places).is_integer()
        assert abs(low) <= 2.0 ** -(places + 1)
        assert high + low == value / one
