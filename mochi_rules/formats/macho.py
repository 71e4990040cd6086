"""Mach-O files: the header, the load commands, segments and sections.

Sources: `mach-o/loader.h` and `mach-o/nlist.h` of XNU.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.base.diagnostic import MochiError

MAGIC = b"\xcf\xfa\xed\xfe"
OBJECT, EXECUTABLE, LIBRARY = 1, 2, 6  # file types
SYMTAB, DYSYMTAB, SEGMENT_64, BUILD_VERSION = 0x02, 0x0B, 0x19, 0x32  # load commands
CODE_SIGNATURE, CHAINED_FIXUPS = 0x1D, 0x8000_0034
MACOS = 1  # platform of BUILD_VERSION
READ, READ_WRITE_EXECUTE = 1, 7  # protections
CODE = 0x8000_0400  # flags of a section: pure instructions, some instructions
READ_ONLY_SEGMENT = "__TEXT"  # where a linker puts read-only data
# Kind of a symbol: all bits of a debugger's, external, the bits of its type, defined in a section.
STAB, EXTERNAL, TYPE, IN_SECTION = 0xE0, 0x01, 0x0E, 0x0E

HEADER = struct.Struct("<8I")  # magic, cpu, subtype, file type, commands, their size, flags, 0
COMMAND = struct.Struct("<II")  # command, size
# command, size, name, address, size, file offset, file size, 2 protections, sections, flags
SEGMENT = struct.Struct("<II16sQQQQIIII")
# name, segment, address, size, file offset, alignment, relocations (2), flags, 3 reserved
SECTION = struct.Struct("<16s16sQQIIIIIIII")
SYMTAB_COMMAND = struct.Struct(
    "<6I"
)  # command, size, symbols: offset, count; strings: offset, size
# command, size; of local, external and undefined symbols each the first and the count; 6 tables
DYSYMTAB_COMMAND = struct.Struct("<20I")
# command, size, platform, the oldest system, the SDK, tools
BUILD_VERSION_COMMAND = struct.Struct("<6I")
RELOCATION = struct.Struct("<iI")  # place; symbol or section, in 24 bits, and flags
RELOCATED_SYMBOL, BY_SYMBOL = 0xFF_FFFF, 1 << 27  # of these
SYMBOL = struct.Struct("<IBBHQ")  # name, kind, section, description, value
_ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its place and size in the file, in bytes; `offset` is 0 where it has none."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment: where it is in memory and in the file, in bytes."""

    name: str
    address: int
    memory_size: int
    offset: int
    size: int
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A Mach-O file: the numbers of its header, its load commands as bytes, its segments.

    Every segment is in `data`, which is all of the file.
    """

    header: tuple[int, ...]
    commands: tuple[bytes, ...]
    segments: tuple[Segment, ...]
    data: bytes

    def segment(self, name: str) -> Segment | None:
        """Return the first segment of a name, or None."""
        return next((item for item in self.segments if item.name == name), None)

    def section(self, segment: str, name: str) -> Section | None:
        """Return a section, which is in the file, or None.

        Emits: A106.

        Raises:
            MochiError: The section is not inside the file.
        """
        found = self.segment(segment)
        for item in found.sections if found else ():
            if item.name == name:
                if item.offset + item.size > len(self.data):
                    raise unusable(f"its section `{name}` ends beyond the end of the file")
                return item
        return None


def command_kind(command: bytes) -> int:
    """Return the number of the kind of a load command."""
    kind: int = COMMAND.unpack_from(command)[0]
    return kind


def read_image(data: bytes) -> Image:
    """Decode the header and the load commands of a 64-bit Mach-O file.

    Emits: A106.

    Raises:
        MochiError: They are damaged, or the file ends before its segments do.
    """
    try:
        header = HEADER.unpack_from(data)
        commands = tuple(_read_commands(data, header[4], header[5]))
        segments = tuple(
            _read_segment(item) for item in commands if command_kind(item) == SEGMENT_64
        )
    except struct.error:
        raise unusable("its load commands are damaged") from None
    for item in segments:
        if item.offset + item.size > len(data):
            raise unusable(f"it ends before its segment `{item.name}` does")
    return Image(header, commands, segments, data)


def unusable(why: str, *, help: str = "build the launcher again") -> MochiError:
    """Make the error of a Mach-O file that cannot be read or changed."""
    return fail("A106", f"the Mach-O file cannot be used: {why}", help=help)


def _read_commands(data: bytes, count: int, size: int) -> Iterator[bytes]:
    at, end = HEADER.size, HEADER.size + size
    for _ in range(count):
        _, length = COMMAND.unpack_from(data, at)
        if length < COMMAND.size or length % _ALIGNMENT or at + length > min(end, len(data)):
            raise struct.error
        yield data[at : at + length]
        at += length
    if at != end:
        raise struct.error


def _read_segment(command: bytes) -> Segment:
    _, _, name, address, memory_size, offset, size, _, _, count, _ = SEGMENT.unpack_from(command)
    if len(command) != SEGMENT.size + count * SECTION.size:
        raise struct.error
    sections = SECTION.iter_unpack(command[SEGMENT.size :])
    return Segment(
        _text(name),
        address,
        memory_size,
        offset,
        size,
        tuple(Section(_text(item[0]), item[4], item[3]) for item in sections),
    )


def _text(name: bytes) -> str:
    """Return a name for comparisons and messages, where whatever is not ASCII is escaped."""
    return name.rstrip(b"\0").decode("latin-1").encode("unicode_escape").decode()
