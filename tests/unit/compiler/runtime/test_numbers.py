"""Ints and floats of the runtime library: texts, checked arithmetic, remainders and rounding."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

import pytest
from floats import FLOATS, same
from hypothesis import example, given
from hypothesis import strategies as st

LEAST, MOST = -(2**63), 2**63 - 1
# Of every length, so that all ways of writing digits are taken.
INTS = st.integers(LEAST, MOST) | st.integers(0, 63).flatmap(
    lambda bits: st.integers(-(2**bits), 2**bits - 1)
)
DIGITS = st.integers(0, 19).map(lambda power: 10**power)
RUNTIME = (
    "string_of_int", "int_of_string", "parse_int_base", "mul_slow", "mul_high", "int_abs",
    "pow_int", "float_rem", "round_float", "float_round", "power_of_two",
)  # fmt: skip


def fits(value: int) -> bool:
    """Whether an int has 64 bits."""
    return LEAST <= value <= MOST


# Texts


@given(value=INTS)
@example(0)
@example(LEAST)
@example(MOST)
def test_ints_become_decimal_text_and_back(shared, value) -> None:
    """Every int has the text that Python gives it, which is read as the same int."""
    instance = shared()
    text = instance.string_of_int(value)
    assert instance.text(text) == str(value)
    assert instance.int_of_string(text, 0) == value
    instance.release(text)
    assert instance.live == 0


@given(power=DIGITS, step=st.integers(-1, 1), sign=st.sampled_from([1, -1]))
def test_ints_around_powers_of_ten_have_all_their_digits(shared, power, step, sign) -> None:
    """One digit more or less: no leading zero, and none is missing."""
    instance = shared()
    value = sign * (power + step)
    if fits(value):
        text = instance.string_of_int(value)
        assert instance.text(text) == str(value)
        instance.release(text)


@given(value=INTS, base=st.integers(2, 36), plus=st.booleans(), upper=st.booleans())
def test_digits_of_every_base_are_read(shared, value, base, plus, upper) -> None:
    """A sign and digits in small or capital letters are the int that Python reads."""
    instance = shared()
    digits, rest = "", abs(value)
    while rest or not digits:
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest % base] + digits
        rest //= base
    text = ("-" if value < 0 else "+" if plus else "") + (digits.upper() if upper else digits)
    string = instance.string(text)
    assert instance.parse_int_base(string, base, 0) == int(text, base) == value
    instance.release(string)


@pytest.mark.parametrize(
    "text",
    ["", "-", "+", " 5", "5 ", "0x10", "1.5", "1e3", "--1", "1_000", "٣", "abc",
     "9223372036854775808", "-9223372036854775809", "99999999999999999999", "1" * 40],
)  # fmt: skip
def test_what_is_no_int_of_64_bits_stops_the_program(runtime, text) -> None:
    """Only a sign and decimal digits are an int; the message quotes the text."""
    instance = runtime("int_of_string")
    message = instance.failure("int_of_string", instance.string(text), 0)
    assert message == f'error: cannot cast "{text}" to int\n'


def test_quotes_in_messages_have_a_backslash(runtime) -> None:
    r"""A text with `"` and `\` is quoted so that its end is seen."""
    instance = runtime("int_of_string")
    message = instance.failure("int_of_string", instance.string('a"b\\c'), 0)
    assert message == 'error: cannot cast "a\\"b\\\\c" to int\n'


@pytest.mark.parametrize(
    ("text", "base"), [("2", 2), ("8", 8), ("1", 1), ("1", 0), ("1", 37), ("g", 16)]
)
def test_digits_beyond_the_base_stop_the_program(runtime, text, base) -> None:
    """A digit must be below the base, and the base from 2 to 36."""
    instance = runtime("parse_int_base")
    message = instance.failure("parse_int_base", instance.string(text), base, 0)
    assert "cannot cast" in message


# Arithmetic


@given(a=INTS, b=INTS)
@example(LEAST, -1)
@example(-1, LEAST)
@example(LEAST, 1)
@example(2**32, 2**31)
@example(-(2**32), 2**31)
@example(2**31, -(2**32))
@example(3037000500, 3037000500)
@example(0, LEAST)
def test_products_are_exact_where_they_fit(shared, a, b) -> None:
    """A product of 64 bits is that of Python, in either order; the high half is exact always."""
    instance = shared()
    if fits(a * b):
        assert instance.mul_slow(a, b, 0) == a * b
        assert instance.mul_slow(b, a, 0) == a * b
    high = instance.mul_high(a, b) % 2**64
    assert high == (a % 2**64) * (b % 2**64) >> 64


@pytest.mark.parametrize(
    ("a", "b"),
    [(LEAST, -1), (-1, LEAST), (2**32, 2**31), (3037000500, 3037000500), (MOST, 2), (LEAST, 2),
     (LEAST, LEAST), (MOST, MOST), (LEAST, MOST), (2**62, -3), (5, 2**62)],
)  # fmt: skip
def test_products_that_do_not_fit_stop_the_program(runtime, a, b) -> None:
    """Overflow is an error, whatever the signs."""
    assert not fits(a * b)
    instance = runtime("mul_slow")
    assert instance.failure("mul_slow", a, b, 0) == "error: integer overflow\n"


@given(base=st.integers(-40, 40) | INTS, exponent=st.integers(-3, 70))
@example(-2, 63)
@example(0, 2**62)
@example(-1, MOST)
@example(3, 39)
def test_powers_are_exact_where_they_fit(shared, base, exponent) -> None:
    """A power of 64 bits is that of Python; a negative exponent gives 1."""
    instance = shared()
    power = base ** min(exponent, 100 + exponent % 2) if exponent >= 0 else 1
    if fits(power):
        assert instance.pow_int(base, exponent, 0) == power


@pytest.mark.parametrize(("base", "exponent"), [(2, 63), (-2, 64), (10, 19), (MOST, 2), (2, MOST)])
def test_powers_that_do_not_fit_stop_the_program(runtime, base, exponent) -> None:
    """Overflow is an error."""
    instance = runtime("pow_int")
    assert instance.failure("pow_int", base, exponent, 0) == "error: integer overflow\n"


def test_the_least_int_has_no_magnitude(runtime) -> None:
    """Other ints have theirs; that of the least would need a bit more."""
    instance = runtime("int_abs")
    for value in (0, 5, -5, MOST, -MOST):
        assert instance.int_abs(value, 0) == abs(value)
    assert instance.failure("int_abs", LEAST, 0) == "error: integer overflow\n"


# Floats


@given(a=FLOATS, b=FLOATS)
@example(5e-324, 5e-324)
@example(1.7976931348623157e308, 5e-324)
@example(-0.0, 1.0)
@example(1.0, math.inf)
@example(-6.0, 3.0)
def test_remainders_of_floats_are_exact(shared, a, b) -> None:
    """The remainder is that of C's fmod to the bit; where there is none, NaN."""
    try:
        expected = math.fmod(a, b)
    except ValueError:
        expected = math.nan
    assert same(shared().float_rem(a, b), expected)


@given(x=FLOATS)
@example(0.49999999999999994)
@example(-0.5)
@example(4503599627370495.5)
def test_halves_are_rounded_away_from_zero(shared, x) -> None:
    """The nearest whole number, and of two the further; a zero keeps its sign."""
    found = shared().float_round(x)
    if math.isfinite(x):
        exact = float(Decimal(x).to_integral_value(ROUND_HALF_UP))
        assert same(found, math.copysign(exact, x))
    else:
        assert same(found, x)


@pytest.mark.parametrize(
    ("x", "digits", "expected"),
    [(2.675, 2, 2.68), (1.005, 2, 1.0), (-1.5, 0, -2.0), (1234.5, -2, 1200.0), (0.1, 25, 0.1),
     (math.pi, 4, 3.1416), (-0.04, 1, -0.0), (1e300, 10, math.inf), (math.nan, 2, math.nan)],
)  # fmt: skip
def test_floats_are_rounded_to_digits(shared, x, digits, expected) -> None:
    """As Go's `math.Round(x * factor) / factor`, with all that follows for large factors."""
    assert same(shared().round_float(x, digits), expected)


def test_powers_of_two_are_exact(shared) -> None:
    """All powers of two that are floats, down to the least."""
    instance = shared()
    for exponent in range(-1074, 1024):
        assert instance.power_of_two(exponent) == math.ldexp(1.0, exponent)
