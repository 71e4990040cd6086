"""Decodes the tables that map code offsets to what Wasmtime knows about them.

All are little-endian on every target. Offsets count from the start of `.text`. Source: the
documentation of AddressMapSection, TrapEncodingBuilder, StackMapSection (crates/environ) and
ExceptionTableBuilder (crates/unwinder) of Wasmtime 48.0.0.
"""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import pairwise
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.elf.decode import Malformed, Reader
from mochi_rules.wasm.leb128 import decode_signed, decode_unsigned

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_SIZE = 128  # entries of the address map and of the trap table
NO_ORIGIN = 0xFFFF_FFFF  # a module's file is shorter

# Tables are arrays of 32-bit numbers: a byte of a section can make an entry.


@dataclass(frozen=True, slots=True)
class ExceptionTable:
    """Where calls that may throw return to, and where their handlers are; both code offsets."""

    call_sites: array[int]
    handlers: array[int]


def decode_address_map(data: bytes) -> array[int]:
    """Return the code offset of every entry of `.wasmtime.addrmap`, in order of storage.

    Raises:
        Malformed: The blocks are not where the index says, or do not fill the section.
    """
    return _decode_blocks(data, _skip_nothing, _skip_place)


def decode_origins(data: bytes) -> tuple[array[int], array[int]]:
    """Return where the code of every entry of `.wasmtime.addrmap` comes from.

    These are code offsets, and for each the offset in the WebAssembly file of the instruction that
    the code up to the next entry was made of; NO_ORIGIN where it was made of none.

    Raises:
        Malformed: As `decode_address_map`.
    """
    origins = array("I")
    last: int | None = None  # the first of a block is absolute, the others count from it

    def start_block(_data: bytes, position: int) -> int:
        nonlocal last
        last = None
        return position

    def read_origin(data: bytes, position: int, token: int) -> int:
        nonlocal last
        if token & 1:
            origins.append(NO_ORIGIN)
        elif last is None:
            last, position = decode_unsigned(data, position, 64)
            origins.append(last)
        else:
            step, position = decode_signed(data, position, 64)
            last += step
            origins.append(last)
        return position

    return _decode_blocks(data, start_block, read_origin), origins


def decode_traps(data: bytes) -> tuple[array[int], set[int]]:
    """Return the code offset of every entry of `.wasmtime.traps`, and the trap codes in use.

    Raises:
        Malformed: The blocks are not where the index says, or do not fill the section.
    """
    codes: set[int] = set()

    def read_code(data: bytes, position: int) -> int:
        codes.add(data[position])
        return position + 1

    def read_own_code(data: bytes, position: int, token: int) -> int:
        return read_code(data, position) if token & 1 else position

    return _decode_blocks(data, read_code, read_own_code), codes


def _skip_nothing(_data: bytes, position: int) -> int:
    return position


def _skip_place(data: bytes, position: int, token: int) -> int:
    """Skip the place in the WebAssembly file, which an entry without a place does not have."""
    if token & 1:
        return position
    while data[position] & 0x80:
        position += 1
    return position + 1


def _decode_blocks(
    data: bytes, read_start: Callable[[bytes, int], int], read_end: Callable[[bytes, int, int], int]
) -> array[int]:
    """Decode an index of blocks and the blocks; the two functions read what varies.

    `read_start` reads what stands before the entries of a block, `read_end` what stands after
    the token of an entry. Both return the next position, and raise IndexError at the end.
    """
    count, index = _block_index(data)
    bodies = position = 8 + len(index)
    offsets = array("I")
    number = 0
    try:
        for number, (offset, start) in enumerate(struct.iter_unpack("<II", index)):
            if position != bodies + start:
                raise Malformed(f"block {number} starts at {start}, not at {position - bodies}")
            position = read_start(data, position)
            if data[position] > 1:
                raise Malformed(f"block {number} does not start with its first entry")
            for _ in range(min(BLOCK_SIZE, count - BLOCK_SIZE * number)):
                token = data[position]  # nearly all have one byte
                position += 1
                if token & 0x80:
                    token, position = decode_unsigned(data, position - 1, 64)
                offset += token >> 1  # noqa: PLW2901 - the running offset of this block
                offsets.append(offset)
                position = read_end(data, position, token)
    except (IndexError, ValueError):
        raise Malformed(f"its block {number} ends in the middle of an entry") from None
    except OverflowError:
        raise Malformed(f"its block {number} has an offset that does not fit in 32 bits") from None
    if position != len(data):
        raise Malformed(f"{len(data) - position} bytes follow the last block")
    return offsets


def _block_index(data: bytes) -> tuple[int, memoryview]:
    if len(data) < 8:
        raise Malformed(f"it has {len(data)} bytes, expected at least 8")
    count, blocks = struct.unpack_from("<II", data)
    if blocks != -(-count // BLOCK_SIZE):
        raise Malformed(f"it claims {blocks} blocks for {count} entries of {BLOCK_SIZE} a block")
    if 8 + 8 * blocks > len(data):
        raise Malformed(f"it has {len(data)} bytes, too few for an index of {blocks} blocks")
    return count, memoryview(data)[8 : 8 + 8 * blocks]


def decode_exceptions(data: bytes) -> ExceptionTable:
    """Decode `.wasmtime.exceptions`.

    Raises:
        Malformed: The columns do not fill the section, or the ranges of handlers have gaps.
    """
    reader = Reader(data)
    call_sites, handlers = (int.from_bytes(reader.take(4), "little") for _ in range(2))
    sites, _, ranges = (_column(reader, call_sites) for _ in range(3))
    _, _, targets = (_column(reader, handlers) for _ in range(3))
    reader.finish()
    if (
        any(after < before for before, after in pairwise(ranges))
        or (ranges[-1] if ranges else 0) != handlers
    ):
        raise Malformed(f"the ranges of handlers do not cover the {handlers} handlers in order")
    return ExceptionTable(sites, targets)


def decode_stack_maps(data: bytes) -> array[int]:
    """Return the code offset of every entry of `.wasmtime.stackmap`, in order of storage.

    Raises:
        Malformed: An entry points outside, or the section has a part of a word.
    """
    reader = Reader(data)
    count = int.from_bytes(reader.take(4), "little")
    offsets, pointers = (_column(reader, count) for _ in range(2))
    words = _column(reader, (len(data) - reader.position) // 4)
    reader.finish()
    for pointer in pointers:
        # A map is the size of the frame, the number of words, and so many words of bits.
        if pointer + 2 > len(words) or pointer + 2 + words[pointer + 1] > len(words):
            raise Malformed(f"a map starts at word {pointer} and leaves the {len(words)} words")
    return offsets


def _column(reader: Reader, count: int) -> array[int]:
    column = array("I", reader.take(4 * count))
    if sys.byteorder == "big":
        column.byteswap()
    return column
