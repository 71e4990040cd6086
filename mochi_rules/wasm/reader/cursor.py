"""A cursor over foreign bytes: every read is checked, and errors have a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import MochiError, fail
from mochi_rules.wasm.leb128 import decode_signed, decode_unsigned

if TYPE_CHECKING:
    from collections.abc import Callable


class Cursor:
    """Reads a part of a binary from front to back, and never past its end.

    Every method that reads raises MochiError (A011) when the bytes are not what they must be.
    """

    __slots__ = ("_base", "_data", "_last", "_position", "place")

    def __init__(self, data: bytes | memoryview, place: str, base: int = 0) -> None:
        """Start at the front of `data`, which lies at offset `base` of the file.

        `place` is what messages call the part of the file that is being read.
        """
        self._data = memoryview(data)
        self._base = base
        self._position = 0
        self._last = 0  # where the last read began
        self.place = place

    @property
    def remaining(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._position

    @property
    def offset(self) -> int:
        """Where in the file the next byte lies."""
        return self._base + self._position

    def malformed(self, reason: str) -> MochiError:
        """Make the error for what was read last.

        Emits: A011.
        """
        offset = self._base + self._last
        return fail("A011", f"malformed WebAssembly: {reason} ({self.place}, byte {offset})")

    def take(self, size: int) -> memoryview:
        """Read `size` bytes."""
        self._last = self._position
        if size > self.remaining:
            raise self.malformed(f"unexpected end, {self.remaining} of {size} bytes are there")
        self._position += size
        return self._data[self._last : self._position]

    def part(self, size: int) -> Cursor:
        """Read `size` bytes as a cursor of their own, at the same place."""
        return Cursor(self.take(size), self.place, self._base + self._last)

    def byte(self) -> int:
        """Read a byte."""
        return self.take(1)[0]

    def unsigned(self, bits: int = 32) -> int:
        """Read an unsigned integer."""
        return self._integer(decode_unsigned, bits)

    def signed(self, bits: int = 32) -> int:
        """Read a signed integer."""
        return self._integer(decode_signed, bits)

    def count(self) -> int:
        """Read how many items follow; each of them takes at least a byte."""
        count = self.unsigned()
        if count > self.remaining:
            raise self.malformed(f"{count} items in {self.remaining} bytes")
        return count

    def name(self) -> str:
        """Read a string."""
        try:
            return str(self.take(self.unsigned()), "utf-8")
        except UnicodeDecodeError:
            raise self.malformed("a name is not UTF-8") from None

    def finish(self) -> None:
        """Make sure that nothing is left."""
        self._last = self._position
        if self.remaining:
            raise self.malformed(f"unexpected bytes at the end: {self.remaining}")

    def _integer(self, decode: Callable[[memoryview, int, int], tuple[int, int]], bits: int) -> int:
        self._last = self._position
        try:
            value, self._position = decode(self._data, self._position, bits)
        except ValueError as error:
            raise self.malformed(str(error)) from None
        return value
