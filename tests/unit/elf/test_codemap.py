"""The maps from code offsets: real ones decode, small ones by hand, damaged ones are refused."""

from __future__ import annotations

import struct

import pytest

from mochi_rules.elf.codemap import (
    NO_ORIGIN,
    decode_address_map,
    decode_exceptions,
    decode_origins,
    decode_stack_maps,
    decode_traps,
)
from mochi_rules.elf.decode import Malformed

from .image import Image
from .making import compiled


def words(*values: int) -> bytes:
    """Return numbers as little-endian words."""
    return struct.pack(f"<{len(values)}I", *values)


def test_many_entries_are_decoded() -> None:
    """The maps of 400 functions have an entry for each trap and each instruction, in order."""
    image = Image(compiled("many"))
    addresses = decode_address_map(image[".wasmtime.addrmap"].data)
    traps, codes = decode_traps(image[".wasmtime.traps"].data)

    assert list(addresses) == sorted(addresses)
    assert list(traps) == sorted(traps)
    assert len(addresses) > 5 * 400
    # Stack overflow, memory out of bounds, integer overflow, division by zero.
    assert {0, 1, 6, 7} == codes
    assert len(traps) == 1600


def test_address_map_by_hand() -> None:
    """Deltas add up; an entry without a place has no number behind it; long numbers work."""
    body = bytes([0, 100, 20 << 1 | 1, 0x80 | (300 << 1 & 0x7F), 300 << 1 >> 7, 0x7F])

    assert decode_address_map(words(3, 1, 10, 0) + body).tolist() == [10, 30, 330]


def test_origins_by_hand() -> None:
    """The first place of a block is absolute, the next are differences; some have none."""
    body = bytes([0, 100, 20 << 1 | 1, 5 << 1, 0x7F])

    starts, origins = decode_origins(words(3, 1, 10, 0) + body)

    assert starts.tolist() == [10, 30, 35]
    assert origins.tolist() == [100, NO_ORIGIN, 99]


def test_origins_point_into_the_module() -> None:
    """In a real map, every block starts anew, and no place is outside of the module's file."""
    _, origins = decode_origins(Image(compiled("many"))[".wasmtime.addrmap"].data)
    places = [place for place in origins if place != NO_ORIGIN]

    assert len(places) == 5 * 400
    assert 0 < min(places) <= max(places) < 1 << 16
    assert min(places) == places[0]


def test_traps_by_hand() -> None:
    """The default code, and the code of an entry that differs, are both found."""
    offsets, codes = decode_traps(words(2, 1, 4, 0) + bytes([1, 0, 3 << 1 | 1, 9]))

    assert (offsets.tolist(), codes) == ([4, 7], {1, 9})


def test_empty_maps() -> None:
    """Without an entry, eight bytes of zeros are the whole map."""
    assert not decode_address_map(bytes(8))
    assert not decode_traps(bytes(8))[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes(7), "expected at least 8"),
        (words(0, 1, 0, 0), "claims 1 blocks for 0 entries"),
        (words(129, 1, 0, 0), "claims 1 blocks for 129 entries"),
        (words(0xFFFF_FFFF, 0x200_0000), "too few for an index of 33554432 blocks"),
        (words(1, 1, 0, 1) + b"\1", "block 0 starts at 1, not at 0"),
        (words(1, 1, 0, 0) + b"\2\0", "does not start with its first entry"),
        (words(2, 1, 0, 0) + b"\1", "block 0 ends in the middle"),
        (words(1, 1, 0, 0), "block 0 ends in the middle"),
        (words(1, 1, 0, 0) + b"\1\1", "1 bytes follow the last block"),
        (words(2, 1, 0, 0) + b"\1" + b"\x80" * 9, "block 0 ends in the middle"),
    ],
)
def test_damaged_address_map_is_refused(data: bytes, reason: str) -> None:
    """Each way to be wrong says how."""
    with pytest.raises(Malformed, match=reason):
        decode_address_map(data)


def test_stack_maps_of_a_module_with_references() -> None:
    """A module that keeps references across calls has stack maps, in order."""
    found = decode_stack_maps(Image(compiled("gc"))[".wasmtime.stackmap"].data)

    assert list(found) == sorted(found)
    assert len(found) == 3


def test_exceptions_of_a_module_with_handlers() -> None:
    """A call inside a `try_table` has a call site and its handlers."""
    found = decode_exceptions(Image(compiled("gc"))[".wasmtime.exceptions"].data)

    assert len(found.call_sites) == 2
    assert len(found.handlers) >= len(found.call_sites)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends 4 bytes too early"),
        (words(1, 0), "ends 4 bytes too early"),
        (words(1, 0, 5, 0, 1), "do not cover the 0 handlers"),
        (words(0, 1, 0, 0, 0), "do not cover the 1 handlers"),
        (words(0, 0, 0), "4 bytes are left over"),
        (words(0xFFFF_FFFF, 0), "too early"),
    ],
)
def test_damaged_exception_table_is_refused(data: bytes, reason: str) -> None:
    """Each way to be wrong says how."""
    with pytest.raises(Malformed, match=reason):
        decode_exceptions(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (words(0xFFFF_FFFF), "too early"),
        (words(1, 0, 0), "leaves the 0 words"),
        (words(1, 0, 0, 16, 2, 0), "leaves the 3 words"),
        (words(0) + b"\0", "1 bytes are left over"),
    ],
)
def test_damaged_stack_maps_are_refused(data: bytes, reason: str) -> None:
    """Each way to be wrong says how."""
    with pytest.raises(Malformed, match=reason):
        decode_stack_maps(data)
