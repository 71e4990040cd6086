"""Decimal text as floats, against Python's correctly rounded reading."""

from __future__ import annotations

import random
import struct
from decimal import Decimal, localcontext

import pytest
from floats import EDGES, FINITE, LARGEST, POWERS, of_bits, random_floats, same
from hypothesis import given
from hypothesis import strategies as st

RUNTIME = ("float_of_string", "read_texts")
SOURCE = """
fun read_texts(at: word, end: word, to: word): void {
  var start = at
  var out = to
  while start != end {
    let stop = byte_find(start, end, 10)
    storef(out, float_parse(start, stop - start))
    store32(out + 8, parse_failed)
    out = out + 16
    start = stop + 1
  }
}
"""
DIGITS = st.text("0123456789", max_size=30)
NUMBERS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-", "+"]), DIGITS, st.just("") | DIGITS.map(".{}".format),
    st.just("") | st.integers(-400, 400).map("e{}".format) | st.integers(0, 400).map("E+{}".format),
)  # fmt: skip

WORDS = [
    "0", "-0", "+0", "1.", ".5", "-.5", ".", "-", "+", "+.", "1e5", "1E5", "1e+5", "1e-5", "1e",
    "1e+", "e5", ".e5", "1e5.0", "1e5x", "1..2", "1.2.3", "inf", "-inf", "+INF", "Infinity",
    "infinit", "in", "nan", "NaN", "nanx", "0x10", "1,5", "1e99999999999", "-1e99999999999",
    "1e-99999999999", "0e99999999999", "1e308", "1e309", "1.7976931348623157e308",
    "1.7976931348623158e308", "1.7976931348623159e308", "2.4703282292062327e-324",
    "2.4703282292062328e-324", "1e-400",
]  # fmt: skip


def batch(instance, texts) -> list[float | None]:
    """Return the floats that texts are, None where they are none."""
    data = "".join(text + "\n" for text in texts).encode()
    at, to = instance.block_make(len(data)), instance.block_make(16 * len(texts))
    instance.poke(at, data)
    instance.read_texts(at, at + len(data), to)
    rows = struct.iter_unpack("<dI4x", instance.memory(to, 16 * len(texts)))
    return [None if failed else x for x, failed in rows]


def expected(text: str) -> float | None:
    """Return what Python reads; what is too large for a float is none."""
    try:
        x = float(text)
    except ValueError:
        return None
    return None if abs(x) > LARGEST and "n" not in text.lower() else x


def check(instance, texts) -> None:
    """Compare what is read with what Python reads."""
    for text, found in zip(texts, batch(instance, texts), strict=True):
        wanted = expected(text)
        if wanted is None or found is None:
            assert found is wanted, text
        else:
            assert same(found, wanted), text


def middles(count: int, seed: int) -> list[str]:
    """Return the exact middles between floats, and what is just above and below."""
    source = random.Random(seed)
    texts = []
    with localcontext() as context:
        context.prec = 1200
        for _ in range(count):
            bits = source.choice([
                source.randrange((0x7FF << 52) - 1), source.randrange(0x7FE) << 52,
                source.getrandbits(52), source.randrange(4),
            ])  # fmt: skip
            middle = (Decimal(of_bits(bits)) + Decimal(of_bits(bits + 1))) / 2
            plain = format(middle, "f")
            plain += "" if "." in plain else "."
            zeros = "0" * source.randrange(600)
            texts += [str(middle), plain + zeros, plain + zeros + "1", str(middle.next_minus())]
    return texts


@given(x=FINITE)
def test_floats_are_read_back(shared, x) -> None:
    """The shortest text of a float, and one of 17 digits, are that float."""
    check(shared(), [repr(x), f"{x:.16e}", f"{x:.30e}"])


@given(texts=st.lists(NUMBERS, max_size=20))
def test_numbers_of_any_length_are_rounded_correctly(shared, texts) -> None:
    """Digits, points and exponents in every combination, also those that are no number."""
    check(shared(), texts)


@given(texts=st.lists(st.text("0123456789+-.eEinfatyNx_ ", max_size=8), max_size=20))
def test_what_is_no_number_is_refused(shared, texts) -> None:
    """Any other text is refused, and those of infinity and NaN are read."""
    # Python takes white space around a number and underscores within; the language does not.
    check(shared(), [text for text in texts if " " not in text and "_" not in text])


def test_words_and_incomplete_numbers(shared) -> None:
    """Each part of a number may be missing but for a digit, and nothing may follow."""
    check(shared(), WORDS)
    assert batch(shared(), ["", " 1", "1 ", "1_0", "٣"]) == [None] * 5


def test_edges_and_powers_are_read_back(shared) -> None:
    """The largest, the least, and all powers of two and ten with their neighbors."""
    finite = [x for x in [*EDGES, *POWERS] if abs(x) <= LARGEST]
    check(shared(), list(map(repr, finite)))


def test_random_floats_are_read_back(shared) -> None:
    """Floats of random bits, with 17 digits and with 20, more than are kept."""
    finite = [x for x in random_floats(5_000, 1) if abs(x) <= LARGEST]
    check(shared(), [f"{x:.{digits}e}" for x in finite for digits in (16, 19)])


def test_middles_between_floats_go_to_the_even_one(shared) -> None:
    """Where nineteen digits cannot tell, all digits do: on the middle, just above and below."""
    check(shared(), middles(150, 2))


@pytest.mark.slow
def test_many_middles_go_to_the_even_one(shared) -> None:
    """The same of some thousands."""
    for seed in range(3, 8):
        check(shared(), middles(1000, seed))


def test_text_that_is_no_float_stops_the_program(runtime) -> None:
    """The message quotes the text."""
    instance = runtime("float_of_string")
    string = instance.string("2.5")
    assert instance.float_of_string(string, 0) == 2.5
    instance.release(string)
    assert instance.live == 0
    message = instance.failure("float_of_string", instance.string("two"), 0)
    assert message == 'error: cannot cast "two" to float\n'
