"""Reads line tables: which source line each address of some code comes from (DWARF 2 to 5, §6.2).

The bytes are those of a section `.debug_line`, of whatever compiler. Nothing else of DWARF is
read. Addresses of WebAssembly count from the start of the code section's contents.
"""

from __future__ import annotations

import posixpath
from array import array
from bisect import bisect_right
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.wasm.leb128 import decode_signed, decode_unsigned
from mochi_rules.wasm.reader.sections import custom_section, find_sections
from mochi_rules.wasm.types import Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VERSIONS = range(2, 6)
_LNS_COPY, _LNS_ADVANCE_PC, _LNS_ADVANCE_LINE, _LNS_SET_FILE = 1, 2, 3, 4
_LNS_CONST_ADD_PC, _LNS_FIXED_ADVANCE_PC = 8, 9
_LNE_END_SEQUENCE, _LNE_SET_ADDRESS = 1, 2
_LNCT_PATH, _LNCT_DIRECTORY = 1, 2
_FORM_STRING, _FORM_BLOCK, _FORM_UDATA = 0x08, 0x09, 0x0F
_FORM_SECTIONS = {0x0E: ".debug_str", 0x1F: ".debug_line_str"}
_FORM_SIZES = {0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16}

# What hostile bytes may make of themselves: entries of four bytes may all name one long string.
_MAX_NUMBER = 0xFFFF_FFFF  # of addresses and lines
_MAX_ADDRESS_SIZE = 8
_MAX_PATH = 4096
_MAX_PATHS = 1 << 22  # bytes: of all paths that a unit lists, and of all files together
_PATH_COST = 64  # bytes, of a path besides its own
_MAX_FILES = 1 << 16
_MAX_SORTED, _MAX_MOVED = 1 << 18, 1 << 23


class MalformedLines(Exception):  # noqa: N818 - a finding, which callers report in a note
    """A line table that cannot be read; the message is a phrase in lower case."""


class Place(NamedTuple):
    """A line of a source: `file` is an index into LineTable.files, `line` counts from 1."""

    file: int
    line: int


def _numbers() -> array[int]:
    return array("I")


@dataclass(frozen=True, slots=True)
class LineTable:
    """Ranges of addresses with their places: each goes from its start to the next start.

    `starts` ascend. `owners` has for each the index of its file plus one, 0 where no line is known,
    and `lines` the line. `files` are paths as the compiler wrote them, each once. Arrays, because a
    byte of a section can make a row.
    """

    files: tuple[str, ...] = ()
    starts: array[int] = field(default_factory=_numbers)
    owners: array[int] = field(default_factory=_numbers)
    lines: array[int] = field(default_factory=_numbers)

    def find(self, address: int) -> Place | None:
        """Return which line the code at an address comes from."""
        index = bisect_right(self.starts, address) - 1
        return self._place(index) if index >= 0 else None

    def rows(self) -> Iterator[tuple[int, Place | None]]:
        """Yield each start with its place."""
        return ((start, self._place(index)) for index, start in enumerate(self.starts))

    def _place(self, index: int) -> Place | None:
        owner = self.owners[index]
        return Place(owner - 1, self.lines[index]) if owner else None


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
    collector = _Collector(base, first)
    reader = _Reader(data, order)
    try:
        while reader.position < len(data):
            _Unit(reader, strings, collector).run()
        return collector.table()
    except (ValueError, IndexError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it ends too early"
        raise MalformedLines(f"{reason} (byte {reader.position} of its line table)") from None


class _Reader:
    """A position in some bytes; reading past `end` raises ValueError or IndexError."""

    def __init__(self, data: bytes, order: Literal["little", "big"]) -> None:
        self.data = data
        self.order = order
        self.position = 0
        self.end = len(data)

    def take(self, size: int) -> bytes:
        start = self.position
        if size > self.end - start:
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

    def text(self) -> bytes:
        start = self.position
        limit = min(self.end, start + _MAX_PATH)
        end = self.data.find(b"\0", start, limit)
        if end < 0:
            is_cut = limit == self.end
            raise ValueError("it ends too early" if is_cut else "a path that is too long")
        self.position = end + 1
        return self.data[start:end]


class _Collector:
    """The rows of all units, sequence by sequence, and the files that they name.

    Redundant rows are left out. A sequence ends with a row of the owner 0.
    """

    def __init__(self, base: int, first: int) -> None:
        self._base, self._first = base, first
        self._files: dict[bytes, int] = {}
        self._room = _MAX_PATHS
        self._rows = (_numbers(), _numbers(), _numbers())  # as in LineTable
        # The first address of each sequence, the one behind its last, and where its rows begin.
        self._sequences = (array("Q"), array("Q"), array("Q"))
        self._kept = 0  # how many rows belong to them
        self.begin()

    def file(self, name: bytes) -> int:
        """Return the owner that stands for a file."""
        owner = self._files.get(name)
        if owner is None:
            self._room -= len(name)
            if self._room < 0 or len(self._files) >= _MAX_FILES:
                raise ValueError("too many files")
            owner = self._files[name] = len(self._files) + 1
        return owner

    def begin(self) -> None:
        """Begin a sequence; what was added since the last one ended is dropped."""
        self._cut(self._kept)
        self._last = -1
        self._is_usable = self._ascends = True

    def row(self, address: int, owner: int, line: int) -> None:
        """Add a row; a line that cannot be is none."""
        start = self._base + address
        if not 0 <= start <= _MAX_NUMBER:
            self._is_usable = False  # such are the addresses of code that was left out
            return
        if not 0 < line <= _MAX_NUMBER:
            owner = line = 0
        starts, owners, lines = self._rows
        self._ascends = self._ascends and address >= self._last
        if self._ascends and self._last >= 0:
            if owner == owners[-1] and line == lines[-1]:
                self._last = address
                return
            if start == starts[-1]:
                owners[-1], lines[-1] = owner, line
                return
        self._last = address
        starts.append(start)
        owners.append(owner)
        lines.append(line)

    def end(self, address: int) -> None:
        """Keep the rows since `begin` if their code ends at an address."""
        starts = self._rows[0]
        if not self._ascends:
            self._sort(self._kept)
        if not self._is_usable or len(starts) == self._kept:
            return
        first, last = starts[self._kept] - self._base, max(self._last, starts[-1] - self._base)
        if self._first <= first < address and last <= address:
            self.row(address, 0, 0)
            for column, value in zip(self._sequences, (first, address, self._kept), strict=True):
                column.append(value)
            self._kept = len(starts)

    def table(self) -> LineTable:
        """Return all sequences in order; of two that overlap, the first is believed."""
        self.begin()
        starts, ends, marks = self._sequences
        files = tuple(name.decode("utf-8", "replace") for name in self._files)
        if all(end <= start for end, start in zip(ends, islice(starts, 1, None), strict=False)):
            return LineTable(files, *self._rows)
        if len(starts) > _MAX_SORTED or self._kept > _MAX_MOVED:
            raise ValueError("too many sequences out of order")
        marks.append(self._kept)
        rows = (_numbers(), _numbers(), _numbers())
        previous = -1
        by_end = sorted(range(len(starts)), key=ends.__getitem__)
        for number in sorted(by_end, key=starts.__getitem__):
            if starts[number] >= previous:
                previous = ends[number]
                for column, source in zip(rows, self._rows, strict=True):
                    column.extend(source[marks[number] : marks[number + 1]])
        return LineTable(files, *rows)

    def _sort(self, mark: int) -> None:
        """Order the rows since a mark by their addresses."""
        if len(self._rows[0]) - mark > _MAX_SORTED:
            raise ValueError("too many rows out of order")
        ordered = sorted(zip(*(column[mark:] for column in self._rows), strict=True),
                         key=lambda row: row[0])  # fmt: skip
        self._cut(mark)
        for row in ordered:
            for column, value in zip(self._rows, row, strict=True):
                column.append(value)

    def _cut(self, size: int) -> None:
        for column in self._rows:
            del column[size:]


class _Unit:
    """One unit: a header, and a program for a machine that makes rows."""

    def __init__(
        self, reader: _Reader, strings: Mapping[str, bytes], collector: _Collector
    ) -> None:
        self._reader = reader
        self._strings = strings
        self._collector = collector
        self._room = _MAX_PATHS
        length = reader.number(4)
        if length > len(reader.data) - reader.position:
            raise ValueError("a unit is longer than the section")
        self._end = reader.end = reader.position + length
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
        directories = [b""]  # the one that the compiler ran in
        while name := self._path(reader.text()):
            directories.append(name)
        files = [0]  # they count from 1
        while name := self._path(reader.text()):
            directory = reader.unsigned()
            reader.unsigned(), reader.unsigned()  # its time and its size
            files.append(self._file(directories, directory, name))
        return files

    def _described_files(self) -> list[int]:
        """Read the tables of directories and of files of DWARF 5."""
        directories = [path for path, _ in self._entries()]
        directories[:1] = [b""]
        return [self._file(directories, directory, path) for path, directory in self._entries()]

    def _file(self, directories: list[bytes], directory: int, name: bytes) -> int:
        return self._collector.file(posixpath.join(directories[directory], name))

    def _entries(self) -> Iterator[tuple[bytes, int]]:
        reader = self._reader
        formats = [(reader.unsigned(), reader.unsigned()) for _ in range(reader.byte())]
        count = reader.unsigned()
        if count and not formats:
            raise ValueError("entries of nothing")
        for _ in range(count):
            fields = {content: self._form(form) for content, form in formats}
            path, directory = fields.get(_LNCT_PATH, b""), fields.get(_LNCT_DIRECTORY, 0)
            if not isinstance(path, bytes) or not isinstance(directory, int):
                raise ValueError("a path that is not a string")  # noqa: TRY004 - of the bytes
            yield self._path(path), directory

    def _path(self, path: bytes) -> bytes:
        """Count a path of this unit."""
        self._room -= len(path) + _PATH_COST
        if self._room < 0:
            raise ValueError("too many paths")
        return path

    def _form(self, form: int) -> bytes | int:
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
        self._reader.end = len(self._reader.data)

    def _run_sequence(self) -> None:
        """Run up to the end of a sequence, or of the unit."""
        reader, collector = self._reader, self._collector
        address, file, line = 0, 1, 1
        collector.begin()
        while reader.position < self._end:
            opcode = reader.byte()
            if opcode >= len(self._lengths):
                steps, lines = divmod(opcode - len(self._lengths), self._line_range)
                address += self._step * steps
                line += self._line_base + lines
                collector.row(address, self._owner(file), line)
            elif opcode == _LNS_COPY:
                collector.row(address, self._owner(file), line)
            elif opcode == _LNS_ADVANCE_LINE:
                line += reader.signed()
            elif opcode == _LNS_SET_FILE:
                file = reader.unsigned()
            elif opcode:
                address += self._advance(opcode)
            else:
                kind, operand = self._extended()
                if kind == _LNE_END_SEQUENCE:
                    collector.end(address)
                    return
                if kind == _LNE_SET_ADDRESS:
                    address = int.from_bytes(operand[:_MAX_ADDRESS_SIZE], reader.order)

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

    def _owner(self, file: int) -> int:
        return self._files[file] if file < len(self._files) else 0
