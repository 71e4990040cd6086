"""Reading of untrusted bytes in order: bounds are checked, integers have their shortest form."""

from __future__ import annotations


class Malformed(Exception):  # noqa: N818 - a finding, turned into a diagnostic at the border
    """Bytes that are not what their format says; the message is a phrase in lower case."""


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
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift >= bits:
                raise Malformed(f"the number at offset {start} has too many bytes")
        if value >> bits:
            raise Malformed(f"the number at offset {start} does not fit in {bits} bits")
        if byte == 0 and shift:
            raise Malformed(f"the number at offset {start} is not in its shortest form")
        return value

    def text(self) -> str:
        """Return a string, stored as its size in bytes and UTF-8."""
        data = self.take(self.varint(32))
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed(f"the text before offset {self.position} is not UTF-8") from None

    def rest(self) -> bytes:
        """Return everything that is left."""
        return self.take(len(self.data) - self.position)

    def finish(self) -> None:
        """Raise Malformed unless everything was read."""
        left = len(self.data) - self.position
        if left:
            raise Malformed(f"{left} bytes are left over")


def encode_varint(value: int) -> bytes:
    """Return an unsigned number as LEB128 in its shortest form."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def encode_text(text: str) -> bytes:
    """Return a string as its size in bytes and UTF-8."""
    data = text.encode("utf-8")
    return encode_varint(len(data)) + data
