"""What goes into an object."""

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
