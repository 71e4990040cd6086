"""Static data: string objects, descriptors and tables at fixed addresses."""

from __future__ import annotations

import struct
from functools import cache, lru_cache

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.runtime.tables import TABLES


@lru_cache(4096)  # programs share those of the runtime library
def string_object(text: bytes) -> bytes:
    """Return a string as an immortal object."""
    header = struct.pack(
        "<IIIII",
        layout.IMMORTAL,
        layout.KIND_STRING,
        len(text),
        layout.count_code_points(text),
        len(text),
    )
    return header + text


def ascii_strings() -> bytes:
    """Return the empty string and those of one ASCII character, ASCII_SIZE bytes each."""
    texts = (b"", *(bytes([byte]) for byte in range(128)))
    return b"".join(string_object(text).ljust(layout.ASCII_SIZE, b"\0") for text in texts)


_TABLES = {**TABLES, "ascii": ascii_strings}


@cache
def _table(name: str) -> bytes:
    return _TABLES[name]()


@dataclass(slots=True)
class StaticData:
    """Bytes from STATIC_BASE on, and the addresses of what is in them.

    With `has_characters`, a string of one ASCII character is its row in the table of these, so that
    it is the same object as one that the program takes out of a text.
    """

    data: bytearray = field(default_factory=bytearray)
    strings: dict[bytes, int] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)
    has_characters: bool = False

    @property
    def end(self) -> int:
        """The first address after the data; a multiple of 16."""
        return layout.STATIC_BASE + -(-len(self.data) // 16) * 16

    def content(self) -> bytes:
        """Return the data."""
        return bytes(self.data)

    def string(self, text: bytes) -> int:
        """Return the address of a string object."""
        if text not in self.strings:
            if self.has_characters and len(text) == 1 and text.isascii():
                self.strings[text] = self.table("ascii") + (text[0] + 1) * layout.ASCII_SIZE
            else:
                self.strings[text] = self._place(string_object(text), 8)
        return self.strings[text]

    def table(self, name: str) -> int:
        """Return the address of the table of ASCII strings, or of one of runtime/tables.py."""
        if name not in self.tables:
            self.tables[name] = self._place(_table(name), 16)
        return self.tables[name]

    def files(self, names: list[str]) -> None:
        """Place the table of source names, for messages at run time."""
        addresses = [self.string(name.encode()) for name in names]
        self.tables["files"] = self._place(struct.pack(f"<{len(names)}I", *addresses), 4)

    def descriptor(
        self, name: str, size: int, role: int, fields: list[tuple[str, int, int]]
    ) -> int:
        """Place a descriptor; fields are (name, offset, slot) in the order of printing."""
        rows = b"".join(
            struct.pack("<III", self.string(field_name.encode()), offset, slot)
            for field_name, offset, slot in fields
        )
        refs = [offset for _, offset, slot in fields if slot == layout.SLOT_REF]
        start, end = (min(refs), max(refs) + 4) if refs else (0, 0)
        title = self.string(name.encode())
        header = struct.pack("<IIIIII", size, len(fields), title, role, start, end)
        return self._place(header + rows, 16)

    def _place(self, content: bytes, alignment: int) -> int:
        self.data.extend(bytes(-len(self.data) % alignment))
        address = layout.STATIC_BASE + len(self.data)
        self.data.extend(content)
        return address
