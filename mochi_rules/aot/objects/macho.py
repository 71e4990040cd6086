"""Mach-O relocatable objects for macOS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.formats import macho
from mochi_rules.formats.padding import align_up, pad_to

if TYPE_CHECKING:
    from mochi_rules.aot.objects.payload import Payload
    from mochi_rules.platforms.platform import Platform

_PADDING = 8
_COMMANDS_SIZE = (
    macho.SEGMENT.size
    + macho.SECTION.size
    + macho.BUILD_VERSION_COMMAND.size
    + macho.SYMTAB_COMMAND.size
    + macho.DYSYMTAB_COMMAND.size
)


def write_macho(platform: Platform, payload: Payload) -> bytes:
    """Return a Mach-O object for a platform; C names get their leading underscore."""
    # The end symbol stands before some padding: behind the last byte of the section it would be
    # the next section's for the linker.
    section = pad_to(payload.data, len(payload.data) + _PADDING)
    section_at = align_up(macho.HEADER.size + _COMMANDS_SIZE, payload.alignment)
    symbols_at = align_up(section_at + len(section), 8)

    strings, symbols = b"\0", b""
    # The linker wants the external symbols sorted by name.
    for name, offset in sorted(payload.symbols):
        kind = macho.IN_SECTION | macho.EXTERNAL
        symbols += macho.SYMBOL.pack(len(strings), kind, 1, 0, offset)
        strings += b"_" + name.encode() + b"\0"
    strings = pad_to(strings, align_up(len(strings), 8))
    tables = (symbols_at, len(payload.symbols), symbols_at + len(symbols), len(strings))

    assert platform.architecture.macho_cpu is not None
    cpu = platform.architecture.macho_cpu
    magic = int.from_bytes(macho.MAGIC, "little")
    header = macho.HEADER.pack(magic, *cpu, macho.OBJECT, 4, _COMMANDS_SIZE, 0, 0)
    commands = (
        _segment(payload, section_at, len(section))
        + _build_version(platform)
        + macho.SYMTAB_COMMAND.pack(macho.SYMTAB, macho.SYMTAB_COMMAND.size, *tables)
        + _dynamic_symbols(len(payload.symbols))
    )
    return pad_to(pad_to(header + commands, section_at) + section, symbols_at) + symbols + strings


def _segment(payload: Payload, offset: int, size: int) -> bytes:
    """Return the one segment, and in it the section `__TEXT,__const`."""
    segment = macho.SEGMENT.pack(
        macho.SEGMENT_64,
        macho.SEGMENT.size + macho.SECTION.size,
        b"",
        0,
        size,
        offset,
        size,
        # What every compiler writes for the one segment of an object.
        macho.READ_WRITE_EXECUTE,
        macho.READ_WRITE_EXECUTE,
        1,
        0,
    )
    power = payload.alignment.bit_length() - 1
    section = (b"__const", macho.READ_ONLY_SEGMENT.encode(), 0, size, offset, power)
    return segment + macho.SECTION.pack(*section, 0, 0, 0, 0, 0, 0)


def _build_version(platform: Platform) -> bytes:
    major, minor = platform.oldest_system
    version = major << 16 | minor << 8
    command = (macho.BUILD_VERSION, macho.BUILD_VERSION_COMMAND.size)
    return macho.BUILD_VERSION_COMMAND.pack(*command, macho.MACOS, version, version, 0)


def _dynamic_symbols(count: int) -> bytes:
    """Return the command that divides the symbols: all are external and defined."""
    ranges = (0, 0, 0, count, count, 0)
    tables = (0,) * 12
    return macho.DYSYMTAB_COMMAND.pack(
        macho.DYSYMTAB, macho.DYSYMTAB_COMMAND.size, *ranges, *tables
    )
