"""What goes into an object, and the arithmetic that its formats share."""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Payload:
    """Some bytes to be found between the symbols `<base>_start` and `<base>_end`.

    `base` is a C identifier; `alignment` is a power of two from 16 to 4096.
    """

    base: str
    data: bytes
    alignment: int

    @property
    def symbols(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """The two symbols as C names, with their offsets in the data."""
        return (f"{self.base}_start", 0), (f"{self.base}_end", len(self.data))


def align_up(offset: int, alignment: int) -> int:
    """Return the next multiple of an alignment."""
    return (offset + alignment - 1) // alignment * alignment


def pad_to(data: bytes, size: int) -> bytes:
    """Return the data with zeros behind them, `size` bytes in all."""
    return data.ljust(size, b"\0")
