"""Reading of untrusted bytes in order: bounds are checked, integers have their shortest form."""

from __future__ import annotations

from mochi_rules.wasm.leb128 import decode_unsigned


class Malformed(Exception):  # noqa: N818 - a finding, turned into a diagnostic at the border
    """Bytes that violate their format; the message is a phrase in lower case."""


class Reader:
    """A position in some bytes.

    Every method raises Malformed when the bytes end too early or hold no such value.
    """

    __slots__ = ("data", "position")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        start = self.position
        if size > len(self.data) - start:
            raise Malformed(f"the data ends {size - len(self.data) + start} bytes too early")
        self.position = start + size
        return self.data[start : self.position]

    def byte(self) -> int:
        """Return the next byte as a number."""
        return self.take(1)[0]

    def boolean(self) -> bool:
        """Return a truth value, stored as 0 or 1."""
        value = self.byte()
        if value > 1:
            raise Malformed(f"expected 0 or 1 at offset {self.position - 1}, got {value}")
        return value == 1

    def varint(self, bits: int) -> int:
        """Return an unsigned LEB128 number in its shortest form that fits in `bits` bits."""
        start = self.position
        try:
            value, self.position = decode_unsigned(self.data, start, bits)
        except ValueError as error:
            raise Malformed(f"{error} at offset {start}") from None
        if self.position > start + 1 and self.data[self.position - 1] == 0:
            raise Malformed(f"the number at offset {start} is not in its shortest form")
        return value

    def text(self) -> str:
        """Return a string, stored as its size in bytes and UTF-8."""
        data = self.take(self.varint(32))
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed(f"the string before offset {self.position} is not UTF-8") from None

    def rest(self) -> bytes:
        """Return everything that is left."""
        return self.take(len(self.data) - self.position)

    def finish(self) -> None:
        """Raise Malformed unless everything was read."""
        left = len(self.data) - self.position
        if left:
            raise Malformed(f"{left} bytes are left over")


_SHORT = 16  # bytes: the symbols of a format may all have one such name


class Names:
    """A table of strings that end in a zero; bounds the work that overlapping names can cause."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self._room = 2 * len(data)  # names may end alike, and share their ends

    def __call__(self, start: int) -> str:
        """Return the name that starts at an offset.

        Raises:
            Malformed: None ends after it, or the names are longer together than they can be.
        """
        end = self._data.find(b"\0", start)
        if end < 0:
            raise Malformed(f"no name ends after offset {start} of {self._what}")
        self._room -= max(0, end - start - _SHORT)
        if self._room < 0:
            raise Malformed(f"the names are longer together than {self._what} allows")
        return decode_name(self._data[start:end])


def decode_name(data: bytes) -> str:
    """Return a name; one that is not UTF-8 has its bytes escaped, which takes four times as much.

    A mixture of wide and of escaped characters would take sixteen times as much.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("ascii", "backslashreplace")
