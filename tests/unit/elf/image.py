"""An ELF64 file that can be taken apart, changed and put together again, for damage."""

from __future__ import annotations

import dataclasses
import struct
from typing import Any

from mochi_rules.elf.engine_section import decode_engine
from tests.engine_bytes import encode_engine

_HEADER = (
    *("ident", "type", "machine", "version", "entry", "phoff", "shoff", "flags", "ehsize"),
    *("phentsize", "phnum", "shentsize", "shnum", "shstrndx"),
)
_HEADER_FORMAT, _SECTION_FORMAT, _SYMBOL_FORMAT = "16sHHIQQQIHHHHHH", "IIQQQQIIQQ", "IBBHQQ"


@dataclasses.dataclass
class Part:
    """A section: its name, its header fields, and its bytes."""

    name: str
    name_offset: int
    type: int
    flags: int
    addr: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entsize: int
    data: bytes = b""


class Image:
    """An ELF64 file in parts. `build` writes every part where its offset says."""

    def __init__(self, data: bytes) -> None:
        self.order = "<" if data[5] == 1 else ">"
        values = struct.unpack_from(self.order + _HEADER_FORMAT, data)
        self.header: dict[str, Any] = dict(zip(_HEADER, values, strict=True))
        self.parts = [self._part(data, index) for index in range(self.header["shnum"])]
        names = self.parts[self.header["shstrndx"]].data
        for part in self.parts:
            part.name = names[part.name_offset : names.index(b"\0", part.name_offset)].decode()
        self.tail = b""

    def _part(self, data: bytes, index: int) -> Part:
        place = self.header["shoff"] + 64 * index
        part = Part("", *struct.unpack_from(self.order + _SECTION_FORMAT, data, place))
        part.data = data[part.offset : part.offset + part.size]
        return part

    def __getitem__(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    def lay_out(self) -> Image:
        """Give each part the next aligned place, in the order of the file, as Wasmtime does."""
        position = 64
        for part in sorted(self.parts[1:], key=lambda part: (part.offset, part.offset + part.size)):
            part.size = len(part.data)
            part.offset = position = _up(position, max(1, part.align))
            position += part.size
        self.header["shoff"] = _up(position, 8)
        self.header["shnum"] = len(self.parts)
        return self

    def build(self) -> bytes:
        """Return the file; the section table and `tail` end it."""
        out = bytearray(self.header["shoff"])
        for part in self.parts:
            if part.offset < len(out):
                out[part.offset : part.offset + len(part.data)] = part.data
        out[:64] = struct.pack(self.order + _HEADER_FORMAT, *self.header.values())
        for part in self.parts:
            fields = dataclasses.astuple(part)[1:-1]
            out += struct.pack(self.order + _SECTION_FORMAT, *fields)
        return bytes(out) + self.tail

    def add(self, name: str, data: bytes = b"x", **fields: int) -> Image:
        """Put in a section before the table of names."""
        last = self.parts[-1]
        last.data += name.encode() + b"\0"
        offset = len(last.data) - len(name) - 1
        values = {"type": 1, "flags": 2, "align": 1} | fields
        part = Part(name, offset, 0, 0, 0, last.offset - 1, 0, 0, 0, 0, 0, data)
        self.parts.insert(-1, dataclasses.replace(part, **values))
        self.header["shstrndx"] += 1
        return self.lay_out()

    def drop(self, name: str) -> Image:
        """Remove a section and fix the links to the others."""
        index = self.parts.index(self[name])
        del self.parts[index]
        for part in self.parts:
            part.link -= part.link > index
            part.info -= part.type == 4 and part.info > index
        if ".symtab" in [part.name for part in self.parts]:
            self._renumber_symbols(index)
        self.header["shstrndx"] -= 1
        last = self.parts[-1]
        last.data = b"".join(part.name.encode() + b"\0" for part in self.parts)
        for part in self.parts[1:]:
            part.name_offset = last.data.index(b"\0" + part.name.encode() + b"\0") + 1
        return self.lay_out()

    def _renumber_symbols(self, index: int) -> None:
        for number, symbol in enumerate(self.symbols()):
            self.symbol(number, section=symbol["section"] - (symbol["section"] > index))

    def engine(self, **changes: Any) -> Image:
        """Change fields of the engine section; tunables and flags are merged in."""
        part = self[".wasmtime.engine"]
        engine = decode_engine(part.data)
        for name in ("tunables", "shared_flags", "isa_flags"):
            if name in changes:
                changes[name] = {**getattr(engine, name), **changes[name]}
        part.data = encode_engine(dataclasses.replace(engine, **changes))
        return self.lay_out()

    def symbols(self) -> list[dict[str, int]]:
        """Return the fields of the symbols, the empty first one included."""
        names = ("name", "info", "other", "section", "value", "size")
        rows = struct.iter_unpack(self.order + _SYMBOL_FORMAT, self[".symtab"].data)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def symbol(self, number: int, **changes: int) -> Image:
        """Change fields of a symbol."""
        row = self.symbols()[number] | changes
        table = bytearray(self[".symtab"].data)
        struct.pack_into(self.order + _SYMBOL_FORMAT, table, 24 * number, *row.values())
        self[".symtab"].data = bytes(table)
        return self

    def poke(self, name: str, offset: int, data: bytes) -> Image:
        """Overwrite bytes of a section; a negative offset counts from its end."""
        part = self[name]
        content = bytearray(part.data)
        start = offset % len(content)
        content[start : start + len(data)] = data
        part.data = bytes(content)
        return self


def _up(position: int, alignment: int) -> int:
    return -(-position // alignment) * alignment
