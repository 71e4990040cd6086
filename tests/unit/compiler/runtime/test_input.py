"""Standard input, the clock and panic."""

from __future__ import annotations

import random
import time

import pytest
from values import BASICS, build

RUNTIME = (*BASICS, "input_line", "now_nanoseconds", "panic_with", "print_int")
NO_ENDS = [byte for byte in range(256) if byte not in b"\r\n"]


def lines(instance, count):
    """Read lines; nothing may leak."""
    found = []
    for _ in range(count):
        text = instance.input_line()
        found.append(instance.bytes_of(text))
        instance.release(text)
    assert instance.live == 0
    return found


@pytest.mark.parametrize(
    ("stdin", "expected"),
    [
        (b"", [b"", b""]),
        (b"a", [b"a", b""]),
        (b"a\nb\n", [b"a", b"b", b""]),
        (b"\n\n", [b"", b"", b""]),
        (b"a\r\nb\r\r\n", [b"a", b"b"]),
        (b"\r", [b""]),
        (b"a\rb\n", [b"a\rb"]),
        (b"\xc3\xa9\xff\n", [b"\xc3\xa9\xff"]),
        (b"last", [b"last", b""]),
        (b"\0\n", [b"\0"]),
    ],
)
def test_lines_lose_their_ends(runtime, stdin, expected) -> None:
    """Lines come without line feed and carriage returns; at the end of input they are empty."""
    assert lines(runtime(*RUNTIME, stdin=stdin), len(expected)) == expected


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 200_000])
def test_lines_of_any_length(runtime, size) -> None:
    """Lines may be longer than the buffer, and may begin anywhere in it."""
    rows = [b"x" * size, b"y", b"z" * size, b"", b"w" * (size // 2)]
    assert lines(runtime(*RUNTIME, stdin=b"\n".join(rows)), 6) == [*rows, b""]


@pytest.mark.parametrize("seed", range(5))
def test_lines_are_those_of_the_input(runtime, seed) -> None:
    """Whatever bytes there are, lines are what is between line feeds."""
    chance = random.Random(seed)
    rows = [bytes(chance.choices(NO_ENDS, k=chance.randrange(3000))) for _ in range(200)]
    assert lines(runtime(*RUNTIME, stdin=b"\n".join(rows)), len(rows)) == rows


def test_output_is_written_before_the_program_waits(runtime) -> None:
    """A prompt is out before input is read."""
    instance = runtime(*RUNTIME, stdin=b"a\n")
    instance.print_int(42)
    lines(instance, 1)
    assert instance.out.read_text() == "42"


# The clock


def test_the_clock_is_that_of_the_host(runtime) -> None:
    """Without a seed now() is the time in nanoseconds."""
    before = time.time_ns()
    assert before <= runtime(*RUNTIME).now_nanoseconds() <= time.time_ns()


@pytest.mark.parametrize(
    ("seed", "expected"),
    [
        ("0", [1013904223, 2083216107, 1306227895]), ("1", [1015568748]),
        ("+1", [1015568748]), ("2147483646", [1012239698]),
    ],
)  # fmt: skip
def test_a_seed_makes_now_a_sequence(runtime, seed, expected) -> None:
    """With MOCHI_NOW_SEED the clock is a linear congruential generator."""
    instance = runtime(
        *RUNTIME, env={"OTHER": "1", "MOCHI_NOW_SEED": seed, "MOCHI_NOW_SEEDED": "5"}
    )
    found, state = [], int(seed)
    for _ in expected:
        state = (state * 1664525 + 1013904223) % 2147483647
        found.append(instance.now_nanoseconds())
        assert found[-1] == state
    assert found[0] == expected[0]


@pytest.mark.parametrize("seed", ["", "x", "1x", "-"])
def test_a_seed_that_is_no_number_is_none(runtime, seed) -> None:
    """The clock goes on where the seed cannot be read."""
    instance = runtime(*RUNTIME, env={"MOCHI_NOW_SEED": seed})
    assert instance.now_nanoseconds() > 2**55


def test_panic_says_what_the_program_says(runtime) -> None:
    """The message of a panic is printed as print does, with its place, after the output."""
    instance = runtime(*RUNTIME)
    instance.print_int(1)
    error = instance.failure("panic_with", build(instance, ["a", 1]), 12)
    assert error == 'error: panic: ["a", 1]\n  --> test.mochi:12\n'
    assert instance.out.read_text() == "1"
