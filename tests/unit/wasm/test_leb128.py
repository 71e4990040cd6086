"""LEB128 at its boundaries."""

from __future__ import annotations

import pytest

from mochi_rules.wasm.leb128 import (
    decode_signed,
    decode_unsigned,
    encode_signed,
    encode_unsigned,
)

UNSIGNED = [
    (0, "00"),
    (1, "01"),
    (127, "7f"),
    (128, "80 01"),
    (16383, "ff 7f"),
    (16384, "80 80 01"),
    (624485, "e5 8e 26"),
    (2**32 - 1, "ff ff ff ff 0f"),
]
SIGNED = [
    (0, "00"),
    (-1, "7f"),
    (63, "3f"),
    (64, "c0 00"),
    (-64, "40"),
    (-65, "bf 7f"),
    (8191, "ff 3f"),
    (8192, "80 c0 00"),
    (-8192, "80 40"),
    (-8193, "ff bf 7f"),
    (-123456, "c0 bb 78"),
    (2**31 - 1, "ff ff ff ff 07"),
    (-(2**31), "80 80 80 80 78"),
]


@pytest.mark.parametrize(("value", "written"), UNSIGNED)
def test_unsigned_boundary(value, written):
    """An unsigned integer has its shortest form, and that form reads back."""
    data = bytes.fromhex(written)
    assert encode_unsigned(value) == data
    assert decode_unsigned(data, 0) == (value, len(data))


@pytest.mark.parametrize(("value", "written"), SIGNED)
def test_signed_boundary(value, written):
    """A signed integer has its shortest form, and that form reads back."""
    data = bytes.fromhex(written)
    assert encode_signed(value) == data
    assert decode_signed(data, 0) == (value, len(data))


def test_decode_starts_at_offset():
    """Decoding starts at the offset and returns the one behind the integer."""
    assert decode_unsigned(b"\xff\xe5\x8e\x26\xff", 1) == (624485, 4)


def test_encode_unsigned_refuses_negative():
    """A negative number is not an unsigned integer."""
    with pytest.raises(ValueError, match="-1"):
        encode_unsigned(-1)


@pytest.mark.parametrize(
    ("decode", "written", "value"),
    [
        (decode_unsigned, "80 80 80 80 00", 0),
        (decode_unsigned, "81 80 00", 1),
        (decode_signed, "ff ff ff ff 7f", -1),
        (decode_signed, "80 80 80 80 00", 0),
    ],
)
def test_decode_accepts_padding(decode, written, value):
    """A form that is longer than needed, but not than allowed, reads as the same integer."""
    assert decode(bytes.fromhex(written), 0) == (value, len(bytes.fromhex(written)))


@pytest.mark.parametrize(
    ("decode", "written", "bits", "reason"),
    [
        (decode_unsigned, "", 32, "end"),
        (decode_unsigned, "80", 32, "end"),
        (decode_unsigned, "80 80 80 80 80 00", 32, "more bytes"),
        (decode_unsigned, "ff ff ff ff 1f", 32, "fit"),
        (decode_unsigned, "02", 1, "fit"),
        (decode_signed, "ff ff", 32, "end"),
        (decode_signed, "ff ff ff ff 0f", 32, "fit"),
        (decode_signed, "80 80 80 80 70", 32, "fit"),
        (decode_signed, "80 80 80 80 80 7f", 32, "more bytes"),
    ],
)
def test_decode_refuses(decode, written, bits, reason):
    """An integer that is cut off, over-long or too large is refused."""
    with pytest.raises(ValueError, match=reason):
        decode(bytes.fromhex(written), 0, bits)
