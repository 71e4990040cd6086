"""LEB128, the variable-length integers of WebAssembly and DWARF (core 2.0, §5.2.2)."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(1 << 12)  # most are small
def encode_unsigned(value: int) -> bytes:
    """Return the shortest form of an integer ≥ 0.

    Raises:
        ValueError: `value` is negative.
    """
    if 0 <= value < 0x80:
        return bytes((value,))
    if 0 <= value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    if value < 0:
        raise ValueError(f"not an unsigned integer: {value}")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode_signed(value: int) -> bytes:
    """Return the shortest form of an integer."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def decode_unsigned(data: bytes | memoryview, offset: int, bits: int = 32) -> tuple[int, int]:
    """Return the integer at an offset, and the offset after it. Padded forms are accepted.

    Raises:
        ValueError: The data end before the integer, or it does not fit in `bits` bits.
    """
    value, end = _decode_groups(data, offset, bits)
    if value >> bits:
        raise ValueError(f"integer does not fit in {bits} bits")
    return value, end


def decode_signed(data: bytes | memoryview, offset: int, bits: int = 32) -> tuple[int, int]:
    """Return the two's complement integer at an offset, and the offset after it.

    Raises:
        ValueError: The data end before the integer, or it does not fit in `bits` bits.
    """
    value, end = _decode_groups(data, offset, bits)
    if data[end - 1] & 0x40:
        value -= 1 << 7 * (end - offset)
    if not -1 << bits - 1 <= value < 1 << bits - 1:
        raise ValueError(f"integer does not fit in {bits} bits")
    return value, end


def _decode_groups(data: bytes | memoryview, offset: int, bits: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, bits, 7):
        if offset >= len(data):
            raise ValueError("unexpected end inside an integer")
        byte = data[offset]
        offset += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, offset
    raise ValueError(f"integer takes more bytes than {bits} bits need")
