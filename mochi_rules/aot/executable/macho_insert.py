"""A payload into a Mach-O executable: as the section `__payload` of a segment `__MOCHI`.

Nothing may follow the signature of a Mach-O file, so a payload cannot follow it. The new
segment is put before `__LINKEDIT`, the last one, which holds the tables of the linker and the
signature:

    before:   __TEXT … __DATA             __LINKEDIT (tables, signature)
    after:    __TEXT … __DATA   __MOCHI   __LINKEDIT (tables, new signature)

Nothing refers to `__LINKEDIT` by address; load commands refer to its tables by file offset, and
these are moved. The linker's fixups name segments by number, and every segment before `__LINKEDIT`
keeps its own.

Sources: `mach-o/loader.h` and `mach-o/fixup-chains.h` of XNU for the structures;
`mach_o/UnsafeHeader.cpp`, `Image.cpp` and `ChainedFixups.cpp` of dyld for what it demands.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.payload import SECTION_NAME, SEGMENT_NAME
from mochi_rules.base.dataclass import replace
from mochi_rules.formats.code_signature import Signer, check_signature
from mochi_rules.formats.macho import (
    CHAINED_FIXUPS,
    CODE_SIGNATURE,
    COMMAND,
    HEADER,
    READ,
    SECTION,
    SEGMENT,
    SEGMENT_64,
    Image,
    Segment,
    command_kind,
    read_image,
    unusable,
)
from mochi_rules.formats.padding import align_up, pad_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.platforms.platform import Platform

# The load commands that refer to tables in `__LINKEDIT`: where in the command there is a file
# offset, and the bytes of an entry. The number of entries stands behind the offset; an offset of
# zero stands for an absent table.
_DATA = {8: 1}  # linkedit_data_command
_DYLD_INFO = dict.fromkeys((8, 16, 24, 32, 40), 1)  # rebase, bind, weak bind, lazy bind, export
_TABLES: Mapping[int, Mapping[int, int]] = {
    0x02: {8: 16, 16: 1},  # LC_SYMTAB: symbols, strings
    # LC_DYSYMTAB: contents, modules, references, indirect symbols, external and local relocations
    0x0B: {32: 8, 40: 56, 48: 4, 56: 4, 64: 8, 72: 8},
    0x1D: _DATA,  # LC_CODE_SIGNATURE
    0x1E: _DATA,  # LC_SEGMENT_SPLIT_INFO
    0x22: _DYLD_INFO,  # LC_DYLD_INFO
    0x26: _DATA,  # LC_FUNCTION_STARTS
    0x29: _DATA,  # LC_DATA_IN_CODE
    0x2B: _DATA,  # LC_DYLIB_CODE_SIGN_DRS
    0x2E: _DATA,  # LC_LINKER_OPTIMIZATION_HINT
    0x36: _DATA,  # LC_ATOM_INFO
    0x37: _DATA,  # LC_FUNCTION_VARIANTS
    0x38: _DATA,  # LC_FUNCTION_VARIANT_FIXUPS
    0x8000_0022: _DYLD_INFO,  # LC_DYLD_INFO_ONLY
    0x8000_0033: _DATA,  # LC_DYLD_EXPORTS_TRIE
    0x8000_0034: _DATA,  # LC_DYLD_CHAINED_FIXUPS
}
# Those that hold no such offset. Whatever is in neither table is refused: it might hold one.
_WITHOUT_TABLES = frozenset(
    {
        0x0C,  # LC_LOAD_DYLIB
        0x0E,  # LC_LOAD_DYLINKER
        0x19,  # LC_SEGMENT_64
        0x1B,  # LC_UUID
        0x24,  # LC_VERSION_MIN_MACOSX
        0x27,  # LC_DYLD_ENVIRONMENT
        0x2A,  # LC_SOURCE_VERSION
        0x32,  # LC_BUILD_VERSION
        0x39,  # LC_TARGET_TRIPLE
        0x8000_0018,  # LC_LOAD_WEAK_DYLIB
        0x8000_001C,  # LC_RPATH
        0x8000_001F,  # LC_REEXPORT_DYLIB
        0x8000_0023,  # LC_LOAD_UPWARD_DYLIB
        0x8000_0028,  # LC_MAIN
    }
)

_LINKEDIT_DATA = struct.Struct("<IIII")  # command, size, offset, size of the data
# version, starts, imports, symbols, number of imports, 2 formats; the offsets are in the table
_FIXUPS = struct.Struct("<7I")
_NUMBER = struct.Struct("<I")
_TABLE = struct.Struct("<II")  # offset, entries
_PLACE = struct.Struct("<QQQQ")  # of a segment: address, size, file offset, file size
_PLACE_AT = 24

_LINKEDIT, _TEXT = "__LINKEDIT", "__TEXT"
_SIGNATURE_ALIGNMENT = 16
_MAX_ADDRESS = 1 << 47  # of a program under any macOS
_GROWTH = 8  # of fixups for a segment more: keeps whatever alignment is among them


def insert_payload(platform: Platform, data: bytes, payload: bytes, identifier: bytes) -> bytes:
    """Return an executable with a payload as its section `__MOCHI,__payload`, signed anew.

    `identifier` is what the signature calls it. The page size of the platform is the alignment
    of the section in the file and in memory. The file that comes out must be below 4 GiB.

    Emits: A106 (cannot take a segment), A111 (its signature is wrong).

    Raises:
        MochiError: The executable is damaged, or of a form that is not known.
    """
    image = read_image(data)
    page = platform.page_size
    text, linkedit = _check_form(image, page)
    commands, tables = _without_signature(image, linkedit)
    commands, tables = _with_fixups_counted(commands, tables, linkedit)
    tables = pad_to(tables, align_up(len(tables), _SIGNATURE_ALIGNMENT))
    room = align_up(len(payload), page)
    signer = Signer(identifier, linkedit.offset + room + len(tables), text.size)
    inserted = replace(linkedit, memory_size=room, size=room)
    moved = Segment(
        _LINKEDIT,
        linkedit.address + room,
        align_up(len(tables) + signer.size, page),
        linkedit.offset + room,
        len(tables) + signer.size,
        (),
    )
    segment = _payload_command(inserted, len(payload), page)
    commands = [*_with_linkedit(commands, moved, (segment,), room), _signature_command(signer)]
    code = _head(image, linkedit, commands) + pad_to(payload, room) + tables
    return code + signer.sign(code)


def sign(platform: Platform, data: bytes, identifier: bytes) -> bytes:
    """Return an executable with an ad-hoc signature, if it has none.

    Linkers sign for Apple Silicon alone, which demands it.

    Emits: A106 (cannot take a signature).

    Raises:
        MochiError: The executable is damaged, or of a form that is not known.
    """
    image = read_image(data)
    if is_signed(image):
        return data
    text, linkedit = _check_form(image, platform.page_size)
    commands, tables = _without_signature(image, linkedit)
    tables = pad_to(tables, align_up(len(tables), _SIGNATURE_ALIGNMENT))
    signer = Signer(identifier, linkedit.offset + len(tables), text.size)
    size = len(tables) + signer.size
    grown = replace(linkedit, memory_size=align_up(size, platform.page_size), size=size)
    commands = [*_with_linkedit(commands, grown), _signature_command(signer)]
    code = _head(image, linkedit, commands) + tables
    return code + signer.sign(code)


def is_signed(image: Image) -> bool:
    """Return whether an executable has a signature, valid or not."""
    return any(command_kind(item) == CODE_SIGNATURE for item in image.commands)


def check_signed(image: Image) -> None:
    """Check that an executable has a signature, at its end, that fits to all before it.

    Emits: A106 (no signature, or elsewhere), A111 (it is wrong).

    Raises:
        MochiError: The signature does not hold.
    """
    signatures = [item for item in image.commands if command_kind(item) == CODE_SIGNATURE]
    if not signatures:
        raise unusable("it has no signature")
    for item in signatures:
        offset, size = _TABLE.unpack_from(item, COMMAND.size)
        if offset + size != len(image.data):
            raise unusable("its signature is not at its end")
        check_signature(image.data[:offset], image.data[offset:])


def _check_form(image: Image, page: int) -> tuple[Segment, Segment]:
    """Return `__TEXT` and `__LINKEDIT`, after a look at all that is taken for granted here."""
    text, linkedit = image.segment(_TEXT), image.segment(_LINKEDIT)
    if text is None or linkedit is None or linkedit != image.segments[-1]:
        raise unusable("its last segment is not `__LINKEDIT`")
    if linkedit.offset + linkedit.size != len(image.data):
        raise unusable("there is data after its last segment")
    if linkedit.offset % page or linkedit.address % page or linkedit.address > _MAX_ADDRESS:
        raise unusable(f"its last segment does not begin on a page of {page} bytes")
    for item in image.segments[:-1]:
        file_end, memory_end = item.offset + item.size, item.address + item.memory_size
        if file_end > linkedit.offset or memory_end > linkedit.address:
            raise unusable(f"its segment `{item.name}` does not stand before the last one")
    if image.segment(SEGMENT_NAME):
        raise unusable(f"it has a segment `{SEGMENT_NAME}` already")
    _check_commands(image, linkedit)
    return text, linkedit


def _check_commands(image: Image, linkedit: Segment) -> None:
    """Check that every load command is known, and its tables are in `__LINKEDIT`."""
    for item in image.commands:
        kind = command_kind(item)
        if kind not in _TABLES and kind not in _WITHOUT_TABLES:
            raise unusable(f"its load command {kind:#x} is unknown")
        for _, offset, end in _tables(item):
            if offset < linkedit.offset or end > len(image.data):
                raise unusable(f"a table of its load command {kind:#x} is not in `{_LINKEDIT}`")


def _tables(command: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield where in a command there is the file offset of a table, the offset, and its end."""
    for place, entry in _TABLES.get(command_kind(command), {}).items():
        if place + _TABLE.size > len(command):
            raise unusable(f"its load command {command_kind(command):#x} is too short")
        offset, count = _TABLE.unpack_from(command, place)
        if offset:
            yield place, offset, offset + count * entry


def _moved_tables(command: bytes, start: int, distance: int) -> bytes:
    """Return a command whose tables from an offset on are moved."""
    changed = bytearray(command)
    for place, offset, _ in _tables(command):
        if offset >= start:
            _NUMBER.pack_into(changed, place, offset + distance)
    return bytes(changed)


def _without_signature(image: Image, linkedit: Segment) -> tuple[list[bytes], bytes]:
    """Return the load commands and the tables of `__LINKEDIT` as they were before signing."""
    if any(command_kind(item) == CODE_SIGNATURE for item in image.commands):
        check_signed(image)
    commands = [item for item in image.commands if command_kind(item) != CODE_SIGNATURE]
    # What was between the last table and the signature goes too: whoever signs the executable
    # anew expects its signature right behind the tables.
    end = max((end for item in commands for _, _, end in _tables(item)), default=linkedit.offset)
    return commands, image.data[linkedit.offset : end]


def _with_fixups_counted(
    commands: list[bytes], tables: bytes, linkedit: Segment
) -> tuple[list[bytes], bytes]:
    """Count one more segment in the chained fixups, if there are any.

    They begin with a list that has a number for every segment, 0 for those without fixups, and
    dyld insists on its length. The new segment and `__LINKEDIT` have none, so a 0 at its end is as
    good as one before the last.
    """
    found = [item for item in commands if command_kind(item) == CHAINED_FIXUPS]
    if not found:
        return commands, tables
    offset, size = _TABLE.unpack_from(found[0], COMMAND.size)
    start = offset - linkedit.offset
    fixups = _with_segment_counted(tables[start : start + size])
    growth = len(fixups) - size
    place = slice(COMMAND.size, COMMAND.size + _TABLE.size)
    counted = bytearray(found[0])
    counted[place] = _TABLE.pack(offset, len(fixups))
    return (
        [
            bytes(counted) if item is found[0] else _moved_tables(item, offset + size, growth)
            for item in commands
        ],
        tables[:start] + fixups + tables[start + size :],
    )


def _with_segment_counted(fixups: bytes) -> bytes:
    """Return chained fixups for one segment more; they grow by a multiple of any alignment."""
    try:
        version, list_at, *offsets, count, imports, symbols = _FIXUPS.unpack_from(fixups)
        segments = _NUMBER.unpack_from(fixups, list_at)[0]
        starts = struct.unpack_from(f"<{segments}I", fixups, list_at + _NUMBER.size)
    except struct.error:
        raise unusable("its fixups are damaged") from None
    end = list_at + _NUMBER.size * (1 + segments)
    places = [*offsets, *(list_at + at for at in starts if at)]
    known = version == 0 and list_at >= _FIXUPS.size and segments > 0 and starts[-1] == 0
    if not known or any(not end <= place <= len(fixups) for place in places):
        raise unusable("its fixups have an unknown format")
    head = _FIXUPS.pack(
        version, list_at, *(at + _GROWTH for at in offsets), count, imports, symbols
    )
    starts = tuple(at + _GROWTH if at else 0 for at in starts)
    counted = struct.pack(f"<{segments + 2}I", segments + 1, *starts, 0)
    rest = bytes(_GROWTH - _NUMBER.size) + fixups[end:]
    return head + fixups[_FIXUPS.size : list_at] + counted + rest


def _with_linkedit(
    commands: list[bytes], linkedit: Segment, inserted: tuple[bytes, ...] = (), room: int = 0
) -> Iterator[bytes]:
    """Yield the commands for another `__LINKEDIT`, with others before it, and everything moved."""
    name = _LINKEDIT.encode()
    for item in commands:
        if command_kind(item) == SEGMENT_64 and SEGMENT.unpack_from(item)[2].strip(b"\0") == name:
            place = (linkedit.address, linkedit.memory_size, linkedit.offset, linkedit.size)
            yield from inserted
            yield item[:_PLACE_AT] + _PLACE.pack(*place) + item[_PLACE_AT + _PLACE.size :]
        else:
            yield _moved_tables(item, linkedit.offset - room, room)


def _signature_command(signer: Signer) -> bytes:
    return _LINKEDIT_DATA.pack(CODE_SIGNATURE, _LINKEDIT_DATA.size, signer.code_size, signer.size)


def _payload_command(segment: Segment, size: int, page: int) -> bytes:
    """Return the load command of the segment, which is read-only data, with its one section."""
    name = SEGMENT_NAME.encode()
    power = page.bit_length() - 1
    section = (SECTION_NAME.encode(), name, segment.address, size, segment.offset, power)
    return SEGMENT.pack(
        SEGMENT_64,
        SEGMENT.size + SECTION.size,
        name,
        segment.address,
        segment.memory_size,
        segment.offset,
        segment.size,
        READ,
        READ,
        1,
        0,
    ) + SECTION.pack(*section, 0, 0, 0, 0, 0, 0)


def _head(image: Image, linkedit: Segment, commands: list[bytes]) -> bytes:
    """Return everything before `__LINKEDIT`, with other load commands."""
    content = b"".join(commands)
    header = HEADER.pack(*image.header[:4], len(commands), len(content), *image.header[6:])
    old_end, end = HEADER.size + image.header[5], HEADER.size + len(content)
    sections = [section for segment in image.segments for section in segment.sections]
    first = min((item.offset for item in sections if item.offset), default=linkedit.offset)
    if end > first or any(image.data[old_end:end]):
        raise unusable(
            "its header has no room for another segment",
            help="link the launcher with `-Wl,-headerpad,0x1000`",
        )
    return header + content + image.data[end : linkedit.offset]
