"""SHA-256 of the runtime library, against Python's."""

from __future__ import annotations

import hashlib

import pytest
from values import BASICS, Typed, build, read

RUNTIME = (*BASICS, "sha256")
# Around the ends of blocks of 64 bytes, where the padding needs one more.
SIZES = [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1000]


def digest(instance, value):
    """Return the digest of a value; nothing may leak."""
    word = build(instance, value)
    result = instance.sha256(word, 0)
    found = read(instance, result)
    instance.release(word)
    instance.release(result)
    assert instance.live == 0
    return found


@pytest.mark.parametrize("size", SIZES)
def test_digest_of_a_string(shared, size) -> None:
    """A string counts as its bytes."""
    text = "é" * (size // 2) + "a" * (size % 2)
    assert digest(shared(), text) == [*hashlib.sha256(text.encode()).digest()]


@pytest.mark.parametrize("size", SIZES)
def test_digest_of_a_list(shared, size) -> None:
    """A list has the bytes as ints."""
    data = [number * 7 % 256 for number in range(size)]
    assert digest(shared(), Typed(int, data)) == [*hashlib.sha256(bytes(data)).digest()]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "sha256 expects string or list of bytes"),
        ([256], "sha256 expects bytes from 0 to 255"),
        ([-1], "sha256 expects bytes from 0 to 255"),
    ],
)
def test_anything_else_stops_the_program(runtime, value, message) -> None:
    """Neither a number nor a list of larger numbers has bytes."""
    instance = runtime(*RUNTIME)
    failure = instance.failure("sha256", build(instance, value), 2)
    assert failure == f"error: {message}\n  --> test.mochi:2\n"
