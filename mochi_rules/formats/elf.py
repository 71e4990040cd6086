"""ELF for 64-bit machines of both byte orders. Source: ELF gABI 4.2, chapters 4 and 5."""

from __future__ import annotations

MAGIC = b"\x7fELF"
CLASS_64 = 2
ORDERS = {1: "little", 2: "big"}

RELOCATABLE, EXECUTABLE, SHARED = 1, 2, 3  # e_type

# For `struct`, behind a byte order.
# e_ident is before: type, machine, version, entry, program headers, section headers, flags, the
# header's size, entry size and count of both, the section of names
HEADER = "HHIQQQIHHHHHH"
IDENT_SIZE = 16
PROGRAM = "IIQQQQQQ"  # type, flags, offset, 2 addresses, size in the file, in memory, alignment
INTERPRETER = 3  # p_type
SECTION = "IIQQQQIIQQ"  # name, type, flags, address, offset, size, link, info, alignment, entry
REL, RELA = "QQ", "QQq"  # place, symbol and type, addend
SYMBOL = "IBBHQQ"  # name, info, other, section, value, size

HEADER_SIZE, SECTION_SIZE, SYMBOL_SIZE = 64, 64, 24

PROGBITS, SYMTAB, STRTAB = 1, 2, 3  # sh_type
ALLOC = 2  # sh_flags
GLOBAL, OBJECT, FUNCTION = 1, 1, 2  # binding and types of a symbol
HIDDEN = 2  # visibility
