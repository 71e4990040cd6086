"""Floats as text, against Python's shortest digits."""

from __future__ import annotations

import math

import pytest
from floats import EDGES, FLOATS, POWERS, place, random_floats
from hypothesis import given

from mochi_rules.compiler.runtime import tables

RUNTIME = (
    "string_of_float", "string_of_float_plain", "string_of_float_json", "write_texts",
    "power_of_ten", "low_half",
)  # fmt: skip
SOURCE = """
fun write_texts(at: word, count: word, to: word): word {
  var end = to
  var i: word = 0
  while i != count {
    end = float_text(end, loadf(at + i * 8))
    store8(end, 10)
    end = end + 1
    i = i + 1
  }
  return end
}

fun low_half(): int {
  return power_low
}
"""


def digits_of(x: float) -> tuple[str, str, int]:
    """Return the sign, the shortest digits of a finite float, and the power of ten of the first."""
    mantissa, _, exponent = repr(abs(x)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    first = len(whole) - 1 - (len(whole + fraction) - len(digits)) + int(exponent or 0)
    sign = "-" if math.copysign(1, x) < 0 else ""
    return sign, digits.rstrip("0") or "0", first if digits else 0


def special(x: float) -> str:
    """Return the text of what is not finite."""
    return "NaN" if math.isnan(x) else "+Inf" if x > 0 else "-Inf"


def plain(digits: str, first: int) -> str:
    """Return digits without an exponent."""
    if first < 0:
        return "0." + "0" * (-first - 1) + digits
    whole = digits[: first + 1].ljust(first + 1, "0")
    return whole + ("." + digits[first + 1 :] if len(digits) > first + 1 else "")


def written(x: float, low: int, high: int, exponent: str) -> str:
    """Return a float as text, with an exponent where the first digit is too small or too large."""
    if not math.isfinite(x):
        return special(x)
    sign, digits, first = digits_of(x)
    if low <= first <= high:
        return sign + plain(digits, first)
    point = "." if len(digits) > 1 else ""
    return sign + digits[0] + point + digits[1:] + "e" + format(first, exponent)


def printed(x: float) -> str:
    """Return what `print` shows."""
    return written(x, -4, 5, "+03d")


def in_list(x: float) -> str:
    """Return what `print` shows of a float in a list."""
    if not math.isfinite(x):
        return special(x)
    sign, digits, first = digits_of(x)
    text = plain(digits, first)
    return sign + text + ("" if "." in text else ".0")


def in_json(x: float) -> str:
    """Return what JSON has."""
    return written(x, -6, 20, "+d")


FORMS = {
    "string_of_float": printed,
    "string_of_float_plain": in_list,
    "string_of_float_json": in_json,
}


def batch(instance, floats) -> list[str]:
    """Return the texts of many floats."""
    at, to = place(instance, floats), instance.block_make(32 * len(floats))
    end = instance.write_texts(at, len(floats), to) & 0xFFFF_FFFF
    return instance.memory(to, end - to).decode().splitlines()


@pytest.mark.parametrize("function", FORMS)
@given(x=FLOATS)
def test_floats_have_the_form_of_their_place(shared, function, x) -> None:
    """Printed alone, in a list and in JSON: the shortest digits, each in its own form."""
    instance = shared()
    string = getattr(instance, function)(x)
    assert instance.text(string) == FORMS[function](x)
    instance.release(string)
    assert instance.live == 0


@pytest.mark.parametrize("function", FORMS)
def test_floats_at_the_edges_have_their_form(shared, function) -> None:
    """Zeros, the largest and the least, whole numbers, and where the exponent begins."""
    instance = shared()
    for x in EDGES:
        string = getattr(instance, function)(x)
        assert instance.text(string) == FORMS[function](x)
        instance.release(string)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("x", "alone", "listed", "json"),
    [
        (3.0, "3", "3.0", "3"),
        (0.1 + 0.2, "0.30000000000000004", "0.30000000000000004", "0.30000000000000004"),
        (999999.5, "999999.5", "999999.5", "999999.5"),
        (1e6, "1e+06", "1000000.0", "1000000"),
        (1234567.5, "1.2345675e+06", "1234567.5", "1234567.5"),
        (1e20, "1e+20", "100000000000000000000.0", "100000000000000000000"),
        (1e21, "1e+21", "1000000000000000000000.0", "1e+21"),
        (0.0001, "0.0001", "0.0001", "0.0001"),
        (0.00001, "1e-05", "0.00001", "0.00001"),
        (1e-7, "1e-07", "0.0000001", "1e-7"),
        (-0.0, "-0", "-0.0", "-0"),
        (1e100, "1e+100", "1" + "0" * 100 + ".0", "1e+100"),
        (math.inf, "+Inf", "+Inf", "+Inf"),
        (-math.inf, "-Inf", "-Inf", "-Inf"),
        (math.nan, "NaN", "NaN", "NaN"),
    ],
)
def test_forms_are_those_of_the_reference(shared, x, alone, listed, json) -> None:
    """The table of the language reference, to the letter."""
    instance = shared()
    for function, expected in zip(FORMS, (alone, listed, json), strict=True):
        string = getattr(instance, function)(x)
        assert instance.text(string) == expected
        instance.release(string)


def test_powers_and_their_neighbors_have_the_shortest_digits(shared) -> None:
    """All powers of two and of ten, where the floats are denser on one side."""
    assert batch(shared(), POWERS) == list(map(printed, POWERS))


@pytest.mark.parametrize("seed", range(2))
def test_random_floats_have_the_shortest_digits(shared, seed) -> None:
    """Ten thousand of any bits, and as many of few digits."""
    floats = random_floats(10_000, seed)
    assert batch(shared(), floats) == list(map(printed, floats))


@pytest.mark.slow
def test_many_random_floats_have_the_shortest_digits(shared) -> None:
    """Half a million."""
    for seed in range(2, 7):
        floats = random_floats(50_000, seed)
        assert batch(shared(), floats) == list(map(printed, floats))


def test_powers_of_ten_are_exact_to_128_bits(shared) -> None:
    """What is computed from every 27th power is each power rounded up, also of 2**64 carries."""
    instance = shared()
    for exponent in range(-342, 325):
        high = instance.power_of_ten(exponent) % 2**64
        assert high << 64 | instance.low_half() % 2**64 == tables.power_of_ten(exponent)
