"""Reads line tables: which source line each address of some code comes from (DWARF 2 to 5, §6.2).

The bytes are those of a section `.debug_line`, of whatever compiler. Nothing else of DWARF is
read. Addresses of WebAssembly count from the start of the code section's contents.
"""

from __future__ import annotations

import posixpath
from bisect import bisect_right
from dataclasses import field
from typing import TYPE_CHECKING, Literal, NamedTuple

from mochi_rules.base.dataclass import dataclass
from mochi_rules.wasm.leb128 import decode_signed, decode_unsigned
from mochi_rules.wasm.sections import custom_section, find_sections
from mochi_rules.wasm.types import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSIONS = range(2, 6)
_LNS_COPY, _LNS_ADVANCE_PC, _LNS_ADVANCE_LINE, _LNS_SET_FILE = 1, 2, 3, 4
_LNS_CONST_ADD_PC, _LNS_FIXED_ADVANCE_PC = 8, 9
_LNE_END_SEQUENCE, _LNE_SET_ADDRESS = 1, 2
_LNCT_PATH, _LNCT_DIRECTORY = 1, 2
_FORM_STRING, _FORM_BLOCK, _FORM_UDATA = 0x08, 0x09, 0x0F
_FORM_SECTIONS = {0x0E: ".debug_str", 0x1F: ".debug_line_str"}
_FORM_SIZES = {0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16}


class MalformedLines(Exception):  # noqa: N818 - a finding, said in a note at the border
    """A line table that cannot be read; the message is a phrase in lower case."""


class Place(NamedTuple):
    """A line of a source: `file` is an index into LineTable.files, `line` counts from 1."""

    file: int
    line: int


@dataclass(frozen=True, slots=True)
class LineTable:
    """Ranges of addresses with their places: each goes from its start to the next start.

    `starts` ascend; `places` has None for what no line is known of. `files` are paths as the
    compiler wrote them, each once.
    """

    files: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    places: tuple[Place | None, ...] = ()

    def find(self, address: int) -> Place | None:
        """Return which line the code at an address comes from."""
        index = bisect_right(self.starts, address) - 1
        return self.places[index] if index >= 0 else None


def read_line_table(wasm: bytes) -> LineTable:
    """Return the line table of a module, with offsets in its file as addresses.

    Emits: A010, A011.

    Raises:
        MochiError: The bytes are not WebAssembly.
        MalformedLines: There is a line table, and it is damaged.
    """
    places = find_sections(wasm)
    code = next((place.start for place in places if place.number == Section.CODE), 0)
    data, *strings = (
        custom_section(wasm, places, name) for name in (".debug_line", *_FORM_SECTIONS.values())
    )
    by_name = dict(zip(_FORM_SECTIONS.values(), strings, strict=True))
    # Code that the linker has left out is described as if it lay at 0, where no function can be.
    return decode_lines(data, by_name, base=code, first=1)


def decode_lines(
    data: bytes,
    strings: Mapping[str, bytes],
    *,
    order: Literal["little", "big"] = "little",
    base: int = 0,
    first: int = 0,
) -> LineTable:
    """Decode a section `.debug_line`, all its units together.

    Args:
        data: The section.
        strings: The sections `.debug_str` and `.debug_line_str`, as far as they are there.
        order: The order of bytes.
        base: What is added to every address.
        first: Sequences of rows that start below it, before `base` is added, are left out.

    Raises:
        MalformedLines: It is damaged, or of a form that is not read here.
    """
    collector = _Collector(first)
    reader = _Reader(data, order)
    try:
        while reader.position < len(data):
            _Unit(reader, strings, collector).run()
    except (ValueError, IndexError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it ends too early"
        raise MalformedLines(f"{reason} (byte {reader.position} of its line table)") from None
    return collector.table(base)


class _Reader:
    """A position in some bytes; reading past the end raises ValueError or IndexError."""

    def __init__(self, data: bytes, order: Literal["little", "big"]) -> None:
        self.data = data
        self.order = order
        self.position = 0

    def take(self, size: int) -> bytes:
        start = self.position
        if size > len(self.data) - start:
            raise ValueError("it ends too early")
        self.position += size
        return self.data[start : self.position]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), self.order)

    def byte(self) -> int:
        self.position += 1
        return self.data[self.position - 1]

    def unsigned(self) -> int:
        value, self.position = decode_unsigned(self.data, self.position, 64)
        return value

    def signed(self) -> int:
        value, self.position = decode_signed(self.data, self.position, 64)
        return value

    def text(self) -> str:
        end = self.data.find(b"\0", self.position)
        if end < 0:
            raise ValueError("it ends too early")
        start, self.position = self.position, end + 1
        return self.data[start:end].decode("utf-8", "replace")


@dataclass(slots=True)
class _Collector:
    """Sequences of rows from all units, and the files that they name."""

    first: int
    files: dict[str, int] = field(default_factory=dict)
    # The start, the end, and the rows of a sequence.
    sequences: list[tuple[int, int, list[tuple[int, Place | None]]]] = field(default_factory=list)

    def file(self, name: str) -> int:
        return self.files.setdefault(name, len(self.files))

    def add(self, rows: list[tuple[int, Place | None]], end: int) -> None:
        rows.sort(key=lambda row: row[0])
        if rows and self.first <= rows[0][0] < end and rows[-1][0] <= end:
            self.sequences.append((rows[0][0], end, rows))

    def table(self, base: int) -> LineTable:
        starts: list[int] = []
        places: list[Place | None] = []
        previous = -1
        for start, end, rows in sorted(self.sequences, key=lambda sequence: sequence[:2]):
            if start < previous:
                continue  # two say something about the same code: the first is believed
            for address, place in [*rows, (end, None)]:
                if starts and starts[-1] == base + address:
                    places[-1] = place
                elif not places or places[-1] != place:
                    starts.append(base + address)
                    places.append(place)
            previous = end
        return LineTable(tuple(self.files), tuple(starts), tuple(places))


class _Unit:
    """One unit: a header, and a program for a machine that makes rows."""

    def __init__(
        self, reader: _Reader, strings: Mapping[str, bytes], collector: _Collector
    ) -> None:
        self._reader = reader
        self._strings = strings
        self._collector = collector
        length = reader.number(4)
        if length > len(reader.data) - reader.position:
            raise ValueError("a unit is longer than the section")
        self._end = reader.position + length
        version = reader.number(2)
        if version not in _VERSIONS:
            raise ValueError(f"version {version} of DWARF")
        if version >= 5:
            reader.take(2)  # sizes of addresses and of segments
        program = reader.number(4) + reader.position
        self._step = reader.byte()
        if version >= 4:
            reader.byte()  # how many operations a long instruction has: 1
        reader.byte()
        self._line_base = reader.byte()
        if self._line_base >= 0x80:
            self._line_base -= 0x100
        self._line_range = reader.byte()
        opcode_base = reader.byte()
        if not self._line_range or not opcode_base:
            raise ValueError("a header with a zero")
        self._lengths = [0, *reader.take(opcode_base - 1)]
        self._files = self._described_files() if version >= 5 else self._listed_files()
        reader.position = program

    def _listed_files(self) -> list[int]:
        """Read the tables of directories and of files of DWARF 2 to 4."""
        reader = self._reader
        directories = [""]  # the one that the compiler ran in
        while name := reader.text():
            directories.append(name)
        files = [-1]  # they count from 1
        while name := reader.text():
            directory = reader.unsigned()
            reader.unsigned(), reader.unsigned()  # its time and its size
            files.append(self._file(directories, directory, name))
        return files

    def _described_files(self) -> list[int]:
        """Read the tables of directories and of files of DWARF 5."""
        directories = [path for path, _ in self._entries()]
        directories[:1] = [""]
        return [self._file(directories, directory, path) for path, directory in self._entries()]

    def _file(self, directories: list[str], directory: int, name: str) -> int:
        return self._collector.file(posixpath.join(directories[directory], name))

    def _entries(self) -> list[tuple[str, int]]:
        reader = self._reader
        formats = [(reader.unsigned(), reader.unsigned()) for _ in range(reader.byte())]
        count = reader.unsigned()
        if count and not formats:
            raise ValueError("entries of nothing")
        entries = []
        for _ in range(count):
            fields = {content: self._form(form) for content, form in formats}
            path, directory = fields.get(_LNCT_PATH, ""), fields.get(_LNCT_DIRECTORY, 0)
            if not isinstance(path, str) or not isinstance(directory, int):
                raise ValueError("a path that is no text")  # noqa: TRY004 - of the bytes, not ours
            entries.append((path, directory))
        return entries

    def _form(self, form: int) -> str | int:
        reader = self._reader
        if form == _FORM_STRING:
            return reader.text()
        if form in _FORM_SECTIONS:
            strings = _Reader(self._strings.get(_FORM_SECTIONS[form], b""), reader.order)
            strings.position = reader.number(4)
            return strings.text()
        if form == _FORM_UDATA:
            return reader.unsigned()
        if form == _FORM_BLOCK:
            return len(reader.take(reader.unsigned()))
        if form in _FORM_SIZES:
            return reader.number(_FORM_SIZES[form])
        raise ValueError(f"form 0x{form:x}")

    def run(self) -> None:
        """Run the program; it ends where the unit ends."""
        while self._reader.position < self._end:
            self._run_sequence()
        self._reader.position = self._end

    def _run_sequence(self) -> None:
        """Run up to the end of a sequence, or of the unit."""
        reader = self._reader
        address, file, line = 0, 1, 1
        rows: list[tuple[int, Place | None]] = []
        while reader.position < self._end:
            opcode = reader.byte()
            if opcode >= len(self._lengths):
                steps, lines = divmod(opcode - len(self._lengths), self._line_range)
                address += self._step * steps
                line += self._line_base + lines
                rows.append((address, self._place(file, line)))
            elif opcode == _LNS_COPY:
                rows.append((address, self._place(file, line)))
            elif opcode == _LNS_ADVANCE_LINE:
                line += reader.signed()
            elif opcode == _LNS_SET_FILE:
                file = reader.unsigned()
            elif opcode:
                address += self._advance(opcode)
            else:
                kind, operand = self._extended()
                if kind == _LNE_END_SEQUENCE:
                    self._collector.add(rows, address)
                    return
                if kind == _LNE_SET_ADDRESS:
                    address = int.from_bytes(operand, reader.order)

    def _advance(self, opcode: int) -> int:
        """Return how far an operation goes on; those without a meaning here go nowhere."""
        if opcode == _LNS_ADVANCE_PC:
            return self._step * self._reader.unsigned()
        if opcode == _LNS_CONST_ADD_PC:
            return self._step * ((255 - len(self._lengths)) // self._line_range)
        if opcode == _LNS_FIXED_ADVANCE_PC:
            return self._reader.number(2)
        for _ in range(self._lengths[opcode]):
            self._reader.unsigned()
        return 0

    def _extended(self) -> tuple[int, bytes]:
        operand = self._reader.take(self._reader.unsigned())
        return (operand[0], operand[1:]) if operand else (0, b"")

    def _place(self, file: int, line: int) -> Place | None:
        """Return a place; line 0 means that the code comes from no line."""
        known = 0 <= file < len(self._files) and self._files[file] >= 0
        return Place(self._files[file], line) if known and line > 0 else None
