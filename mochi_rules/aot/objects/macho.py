"""Mach-O relocatable objects for macOS.

Source: mach-o/loader.h and mach-o/nlist.h of XNU.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.aot.objects.payload import Payload, align_up, pad_to

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform

_MAGIC_64 = 0xFEEDFACF
_OBJECT = 1
_CPUS = {"x86_64": (0x0100_0007, 3), "aarch64": (0x0100_000C, 0)}  # type, subtype "all"
_SEGMENT_64, _SYMTAB, _DYSYMTAB, _BUILD_VERSION = 0x19, 0x2, 0xB, 0x32
_MACOS = 1
# The oldest macOS which Wasmtime's wheel for the architecture runs on: a linker warns of an
# object newer than the program it makes.
_OLDEST = {"x86_64": (10, 13), "aarch64": (11, 0)}
_READ_WRITE_EXECUTE = 7  # what every compiler writes for the one segment of an object
_N_SECT_EXT = 0x0F  # defined in a section, and external

_HEADER_SIZE = 32
_SEGMENT_SIZE, _SECTION_SIZE = 72, 80
_BUILD_SIZE, _SYMTAB_SIZE, _DYSYMTAB_SIZE = 24, 24, 80
_PADDING = 8


def write_macho(platform: Platform, payload: Payload) -> bytes:
    """Return a Mach-O object for a platform; C names get their leading underscore."""
    # The end symbol stands before some padding: behind the last byte of the section it would be
    # the next section's for the linker.
    section = pad_to(payload.data, len(payload.data) + _PADDING)
    commands_size = _SEGMENT_SIZE + _SECTION_SIZE + _BUILD_SIZE + _SYMTAB_SIZE + _DYSYMTAB_SIZE
    section_at = align_up(_HEADER_SIZE + commands_size, payload.alignment)
    symbols_at = align_up(section_at + len(section), 8)

    strings, symbols = b"\0", b""
    # The linker wants the external symbols sorted by name.
    for name, offset in sorted(payload.symbols):
        symbols += struct.pack("<IBBHQ", len(strings), _N_SECT_EXT, 1, 0, offset)
        strings += b"_" + name.encode() + b"\0"
    strings = pad_to(strings, align_up(len(strings), 8))
    strings_at = symbols_at + len(symbols)

    cpu, subtype = _CPUS[platform.cpu]
    header = struct.pack("<IIIIIIII", _MAGIC_64, cpu, subtype, _OBJECT, 4, commands_size, 0, 0)
    count = len(payload.symbols)
    commands = (
        _segment(payload, section_at, len(section))
        + _build_version(platform)
        + struct.pack("<IIIIII", _SYMTAB, _SYMTAB_SIZE, symbols_at, count, strings_at, len(strings))
        # No local symbols, all external, none undefined; no tables beyond.
        + pad_to(
            struct.pack("<IIIIIIII", _DYSYMTAB, _DYSYMTAB_SIZE, 0, 0, 0, count, count, 0),
            _DYSYMTAB_SIZE,
        )
    )
    return pad_to(pad_to(header + commands, section_at) + section, symbols_at) + symbols + strings


def _segment(payload: Payload, offset: int, size: int) -> bytes:
    """Return the one segment, and in it the section `__TEXT,__const`."""
    segment = struct.pack(
        "<II16sQQQQIIII",
        _SEGMENT_64,
        _SEGMENT_SIZE + _SECTION_SIZE,
        b"",
        0,
        size,
        offset,
        size,
        _READ_WRITE_EXECUTE,
        _READ_WRITE_EXECUTE,
        1,
        0,
    )
    power = payload.alignment.bit_length() - 1
    section = (b"__const", b"__TEXT", 0, size, offset, power, 0, 0, 0, 0, 0, 0)
    return segment + struct.pack("<16s16sQQIIIIIIII", *section)


def _build_version(platform: Platform) -> bytes:
    major, minor = _OLDEST[platform.cpu]
    version = major << 16 | minor << 8
    return struct.pack("<IIIIII", _BUILD_VERSION, _BUILD_SIZE, _MACOS, version, version, 0)
