"""DWARF 4 for a module: which source line each instruction comes from, and the functions' names.

Addresses count from the start of the code section's contents, as the WebAssembly tool conventions
want it ("DWARF for WebAssembly"); Wasmtime turns them into addresses of native code. There are no
variables and no types.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.wasm.leb128 import encode_signed, encode_unsigned
from mochi_rules.wasm.module import CustomSection

if TYPE_CHECKING:
    from mochi_rules.wasm.code import FunctionRange, Location
    from mochi_rules.wasm.encode import Encoded

# DWARF 4, §7: tags, attributes, forms, line number operations.
_TAG_COMPILE_UNIT, _TAG_SUBPROGRAM = 0x11, 0x2E
_AT_NAME, _AT_STMT_LIST, _AT_LOW_PC, _AT_HIGH_PC, _AT_LANGUAGE = 0x03, 0x10, 0x11, 0x12, 0x13
_AT_PRODUCER, _AT_DECL_FILE, _AT_DECL_LINE = 0x25, 0x3A, 0x3B
_FORM_ADDR, _FORM_DATA2, _FORM_DATA4, _FORM_UDATA = 0x01, 0x05, 0x06, 0x0F
_FORM_STRP, _FORM_SEC_OFFSET = 0x0E, 0x17
_LANGUAGE_C99 = 0x000C  # Mochi has no number; debuggers read C expressions best
_LNS_COPY, _LNS_ADVANCE_PC, _LNS_ADVANCE_LINE, _LNS_SET_FILE = 1, 2, 3, 4
_LNE_END_SEQUENCE, _LNE_SET_ADDRESS = 1, 2
_STANDARD_LENGTHS = bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1))
_VERSION = 4
_ADDRESS_SIZE = 4

_ABBREVIATIONS: tuple[tuple[int, bool, tuple[tuple[int, int], ...]], ...] = (
    (_TAG_COMPILE_UNIT, True, (
        (_AT_PRODUCER, _FORM_STRP), (_AT_LANGUAGE, _FORM_DATA2), (_AT_NAME, _FORM_STRP),
        (_AT_STMT_LIST, _FORM_SEC_OFFSET), (_AT_LOW_PC, _FORM_ADDR), (_AT_HIGH_PC, _FORM_DATA4),
    )),
    (_TAG_SUBPROGRAM, False, (
        (_AT_NAME, _FORM_STRP), (_AT_LOW_PC, _FORM_ADDR), (_AT_HIGH_PC, _FORM_DATA4),
        (_AT_DECL_FILE, _FORM_UDATA), (_AT_DECL_LINE, _FORM_UDATA),
    )),
    (_TAG_SUBPROGRAM, False, (
        (_AT_NAME, _FORM_STRP), (_AT_LOW_PC, _FORM_ADDR), (_AT_HIGH_PC, _FORM_DATA4),
    )),
)  # fmt: skip
_UNIT, _FUNCTION, _RUNTIME_FUNCTION = 1, 2, 3  # abbreviation codes: the rows above


def dwarf_sections(encoded: Encoded, files: list[str], producer: str) -> list[CustomSection]:
    """Return the custom sections that describe an encoded module.

    Args:
        encoded: Its locations name files by their index in `files`.
        files: Names of sources, relative to where a debugger looks for them; not empty.
        producer: Who made the code.
    """
    strings = _Strings()
    info = _debug_info(encoded, files, producer, strings)
    return [
        CustomSection(".debug_abbrev", _debug_abbrev()),
        CustomSection(".debug_info", info),
        CustomSection(".debug_line", _debug_line(encoded, files)),
        CustomSection(".debug_str", bytes(strings.data)),
    ]


@dataclass(slots=True)
class _Strings:
    data: bytearray = field(default_factory=bytearray)
    offsets: dict[str, int] = field(default_factory=dict)

    def reference(self, text: str) -> bytes:
        if text not in self.offsets:
            self.offsets[text] = len(self.data)
            self.data += text.encode() + b"\0"
        return struct.pack("<I", self.offsets[text])


def _debug_abbrev() -> bytes:
    rows = b""
    for code, (tag, has_children, attributes) in enumerate(_ABBREVIATIONS, 1):
        rows += encode_unsigned(code) + encode_unsigned(tag) + bytes([has_children])
        for name, form in attributes:
            rows += encode_unsigned(name) + encode_unsigned(form)
        rows += b"\0\0"
    return rows + b"\0"


def _debug_info(encoded: Encoded, files: list[str], producer: str, strings: _Strings) -> bytes:
    end = max((function.end for function in encoded.functions), default=0)
    entries = encode_unsigned(_UNIT) + strings.reference(producer)
    entries += struct.pack("<H", _LANGUAGE_C99) + strings.reference(files[0])
    entries += struct.pack("<III", 0, 0, end)
    for function, locations in encoded.by_function():
        # A function without an entry gets one by Wasmtime, with all its locals; and finding where
        # those live aborts for some code (bytecodealliance/wasmtime#5395).
        entries += encode_unsigned(_FUNCTION if locations else _RUNTIME_FUNCTION)
        entries += strings.reference(function.name)
        entries += struct.pack("<II", function.start, function.end - function.start)
        if locations:
            _, file, line = locations[0]
            entries += encode_unsigned(file + 1) + encode_unsigned(line)
    entries += b"\0"
    header = struct.pack("<HIB", _VERSION, 0, _ADDRESS_SIZE)
    return struct.pack("<I", len(header) + len(entries)) + header + entries


def _debug_line(encoded: Encoded, files: list[str]) -> bytes:
    names = b"".join(name.encode() + b"\0\0\0\0" for name in files)
    # Instruction length, operations per instruction, is_stmt, line base and range, opcode base.
    fixed = struct.pack("<BBBbBB", 1, 1, 1, -5, 14, len(_STANDARD_LENGTHS) + 1)
    rest = fixed + _STANDARD_LENGTHS + b"\0" + names + b"\0"
    program = b"".join(_sequence(*item) for item in encoded.by_function() if item[1])
    body = struct.pack("<HI", _VERSION, len(rest)) + rest + program
    return struct.pack("<I", len(body)) + body


def _sequence(function: FunctionRange, locations: list[Location]) -> bytes:
    """Return the rows of one function; its prologue counts as its first line."""
    rows = b"\0" + encode_unsigned(1 + _ADDRESS_SIZE) + bytes([_LNE_SET_ADDRESS])
    rows += struct.pack("<I", function.start)
    address, file, line = function.start, 0, 1
    for number, (offset, next_file, next_line) in enumerate(locations):
        at = offset if number else function.start
        if at != address:
            rows += bytes([_LNS_ADVANCE_PC]) + encode_unsigned(at - address)
        if next_file != file:
            rows += bytes([_LNS_SET_FILE]) + encode_unsigned(next_file + 1)
        rows += bytes([_LNS_ADVANCE_LINE]) + encode_signed(next_line - line)
        rows += bytes([_LNS_COPY])
        address, file, line = at, next_file, next_line
    rows += bytes([_LNS_ADVANCE_PC]) + encode_unsigned(function.end - address)
    return rows + b"\0" + encode_unsigned(1) + bytes([_LNE_END_SEQUENCE])
