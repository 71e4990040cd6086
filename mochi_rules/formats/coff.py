"""COFF objects and PE executables. Source: Microsoft's "PE Format"."""

from __future__ import annotations

import struct

# machine, sections, time, symbol table, symbols, size of the optional header, flags
HEADER = struct.Struct("<HHIIIHH")
# name, size in memory, address, size, offset, relocations, lines, their counts, flags
SECTION = struct.Struct("<8sIIIIIIHHI")
SYMBOL = struct.Struct("<8sIhHBB")  # name, value, section, type, storage, auxiliary entries
RELOCATION = struct.Struct("<IIH")  # place, symbol, type
LONG_NAME = struct.Struct("<II")  # zero, offset in the string table: a name of over 8 bytes
NUMBER = struct.Struct("<I")

INITIALIZED_DATA, CODE = 0x0000_0040, 0x0000_0020  # of a section
EXECUTE, READ, WRITE = 0x2000_0000, 0x4000_0000, 0x8000_0000
ALIGNMENT_SHIFT, ALIGNMENT_MASK = 20, 15  # power of two + 1; 0 is the default
DEFAULT_ALIGNMENT = 16
EXTERNAL, FUNCTION = 2, 0x20  # storage and type of a symbol

DOS_MAGIC, PE_MAGIC = b"MZ", b"PE\0\0"
PE_OFFSET_AT = 0x3C
PE_64 = 0x20B  # magic of the optional header
LIBRARY = 0x2000  # flag of the header
