"""No file makes a decoder take much more memory than it has bytes, whatever it claims.

Each row is the worst that is known of a format: much out of few bytes, or one long part that many
short ones refer to. Where the work would grow with the square, no time limit is met.
"""

from __future__ import annotations

import gzip
import os
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mochi_rules.aot.executable.settings import read_settings
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.cache import messages
from mochi_rules.cache.wire import WireError
from mochi_rules.cli.explore_page import explore_page
from mochi_rules.elf.codemap import (
    BLOCK_SIZE,
    decode_exceptions,
    decode_origins,
    decode_stack_maps,
    decode_traps,
)
from mochi_rules.elf.decode import Malformed
from mochi_rules.elf.listing.listing import read_listing
from mochi_rules.elf.listing.listing_text import render_listing
from mochi_rules.elf.object_files import read_object
from mochi_rules.elf.read import read_artifact
from mochi_rules.elf.report import inspect
from mochi_rules.elf.unwind import decode_eh_frame, decode_pdata
from mochi_rules.formats.macho import read_image
from mochi_rules.wasm.debug.line_table import MalformedLines, decode_lines
from mochi_rules.wasm.debug.read_lines import read_lines
from mochi_rules.wasm.leb128 import encode_unsigned
from mochi_rules.wasm.reader.read_code import read_functions
from mochi_rules.wasm.reader.read_summary import read_summary
from mochi_rules.wasm.reader.sections import find_sections
from tests.unit.elf.image import Image

if TYPE_CHECKING:
    from collections.abc import Callable

resource = pytest.importorskip("resource", reason="limits of memory as Linux has them")

SIZE = 1 << 20
FACTOR, ROOM = 16, 64 << 20
_REFUSALS = (MochiError, Malformed, MalformedLines, WireError)


def repeated(part: bytes, size: int = SIZE) -> bytes:
    """Return as many copies as fit."""
    return part * (size // len(part))


def line_unit(tables: bytes, program: bytes, version: int = 4) -> bytes:
    """Return a unit of `.debug_line` with a step of one byte and the usual special opcodes."""
    rest = (
        b"\1"
        + b"\1" * (version >= 4)
        + b"\1\xfb\x0e\x0d"
        + bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1))
    )
    rest += tables
    body = struct.pack("<H", version) + b"\x08\0" * (version >= 5) + struct.pack("<I", len(rest))
    return struct.pack("<I", len(body) + len(rest) + len(program)) + body + rest + program


def described(count: int, entry: bytes) -> bytes:
    """Return tables of DWARF 5 whose files are all alike, by a string of another section."""
    formats = b"\x01\x01\x1f"
    return formats + b"\1" + struct.pack("<I", 0) + formats + encode_unsigned(count) + entry * count


def blocks(entry: bytes, count: int, start: bytes = b"") -> bytes:
    """Return a table of code offsets as Wasmtime has them."""
    index, bodies = bytearray(), bytearray()
    for first in range(0, count, BLOCK_SIZE):
        index += struct.pack("<II", 0, len(bodies))
        bodies += start + b"\0" + entry[1:] + entry * (min(BLOCK_SIZE, count - first) - 1)
    return struct.pack("<II", count, len(index) // 8) + bytes(index) + bytes(bodies)


def columns(*counts: int, values: int) -> bytes:
    """Return zeros as columns of a table that begins with their lengths."""
    return struct.pack(f"<{len(counts)}I", *counts) + bytes(4 * values)


def macho(command: bytes, count: int) -> bytes:
    """Return an object of many load commands."""
    return (
        struct.pack("<8I", 0xFEEDFACF, 0x0100_000C, 0, 1, count, len(command) * count, 0, 0)
        + command * count
    )


def symbols(name: bytes, count: int, *, apart: int) -> bytes:
    """Return an ELF file with many symbols, whose names start `apart` bytes from each other."""
    strings = b"\0" + name + b"\0"
    names = b"\0.symtab\0.strtab\0"
    rows = b"".join(
        struct.pack("<IBBHQQ", 1 + apart * i % len(name), 2, 0, 0, i << 33, 1) for i in range(count)
    )
    table = 64 + len(names) + len(strings) + len(rows)

    def section(name: int, kind: int, at: int, size: int, link: int = 0, entry: int = 0) -> bytes:
        return struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, at, size, link, 0, 1, entry)

    at = 64
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1\xc8", 1, 62, 1, 0, 0, table, 0, 64, 0, 0, 64, 4, 3
    )
    sections = bytes(64) + section(1, 2, at + len(names) + len(strings), len(rows), 2, 24)
    sections += section(9, 3, at + len(names), len(strings)) + section(0, 3, at, len(names))
    return head + names + strings + rows + sections


def wasm(number: int, *parts: bytes) -> bytes:
    """Return a module with sections of one number."""
    sections = (bytes([number]) + encode_unsigned(len(part)) + part for part in parts)
    return b"\0asm\1\0\0\0" + b"".join(sections)


def vector(item: bytes, count: int) -> bytes:
    """Return a vector of equal items."""
    return encode_unsigned(count) + item * count


def functions(data: bytes) -> None:
    """Read all functions, one at a time."""
    for _ in read_functions(data):
        pass


def artifact(code: bytes, sizes: list[int], address_map: bytes | None = None) -> bytes:
    """Return an artifact of code that is functions of these sizes, one after the other."""
    image = Image(gzip.decompress(ARTIFACT.read_bytes()))
    image.drop(".debug_line").drop(".rela.debug_line")
    image[".text"].data = code
    image[".symtab"].data = b"".join(
        struct.pack("<IBBHQQ", 1, 2, 0, 1, sum(sizes[:1]) * i, size) for i, size in enumerate(sizes)
    )
    image[".strtab"].data = b"\0wasm[0]::function[0]::f\0"
    if address_map is not None:
        image[".wasmtime.addrmap"].data = address_map
    return image.lay_out().build()


def objdump(data: bytes) -> None:
    """Print the listing of an artifact, a line at a time."""
    listing = read_listing(data, "x")
    for _ in render_listing(listing, listing.functions(), {}):
        pass


def explore(data: bytes) -> None:
    """Make the page of a program whose every instruction is one in the machine code too."""
    listing = read_listing(artifact(b"\x90" * len(data), [len(data)]), "x", data)
    for _ in explore_page("x", listing, data, {}):
        pass


ARTIFACT = Path(__file__).parents[1] / "golden/objdump/x86_64-unknown-linux-gnu.cwasm.gz"
ROW = b"\x20"  # a special opcode: on by an address and a line
SEQUENCE = b"\x22\x22\0\1\1"
FUNCTION_TYPE = wasm(1, vector(b"\x60\0\0", 1))[8:]
ONE_BODY = b"\0asm\1\0\0\0" + FUNCTION_TYPE + wasm(3, b"\1\0")[8:]


def body(code: bytes) -> bytes:
    """Return a module with one function."""
    code = b"\0" + code + b"\x0b"
    return ONE_BODY + wasm(10, b"\1" + encode_unsigned(len(code)) + code)[8:]


NAME_MAP = encode_unsigned(SIZE // 8) + b"".join(
    encode_unsigned(i | 1 << 21) + b"\2ab" for i in range(SIZE // 8)
)
CASES: dict[str, tuple[Callable[[bytes], object], Callable[[], bytes]]] = {
    "dwarf-rows": (
        lambda d: decode_lines(d, {}),
        lambda: line_unit(b"\0a\0\0\0\0\0", repeated(ROW)),
    ),
    "dwarf-sequences": (
        lambda d: decode_lines(d, {}),
        lambda: line_unit(b"\0a\0\0\0\0\0", repeated(SEQUENCE)),
    ),
    "dwarf-descending": (
        lambda d: decode_lines(d, {}),
        lambda: line_unit(b"\0a\0\0\0\0\0", repeated(b"\0\2\2\0" + b"\x22")),
    ),
    "dwarf-long-folder": (
        lambda d: decode_lines(d, {}),
        lambda: line_unit(
            b"d" * 4000 + b"\0\0" + repeated(b"f\1\0\0".replace(b"f", b"f\0")) + b"\0", b""
        ),
    ),
    "dwarf-one-string": (
        lambda d: decode_lines(d, {".debug_line_str": b"x" * 4000 + b"\0"}),
        lambda: line_unit(described(SIZE // 4, b"\0\0\0\0"), b"", 5),
    ),
    "dwarf-empty-units": (
        lambda d: decode_lines(d, {}),
        lambda: repeated(b"\0\0\0\0" + line_unit(b"", b"")[4:]),
    ),
    "dwarf-files": (
        lambda d: decode_lines(d, {}),
        lambda: line_unit(
            b"\0" + b"".join(b"%x\0\0\0\0" % i for i in range(SIZE // 9)) + b"\0", b""
        ),
    ),
    "lines-rows": (read_lines, lambda: b"\0" + repeated(b"\1\0")),
    "lines-names": (read_lines, lambda: vector(b"\2ab", SIZE // 3)),
    "address-map": (decode_origins, lambda: blocks(b"\2\1", SIZE // 2)),
    "trap-table": (decode_traps, lambda: blocks(b"\2", SIZE, b"\1")),
    "exceptions": (decode_exceptions, lambda: columns(SIZE // 12, 0, values=SIZE // 12 * 3)),
    "stack-maps": (decode_stack_maps, lambda: columns(SIZE // 8, values=SIZE // 8 * 2 + 2)),
    "eh-frame": (
        lambda d: decode_eh_frame(d, 0, little_endian=True),
        lambda: (
            b"".join(struct.pack("<IIqQ", 20, 24 * i + 4, i << 33, 1) for i in range(SIZE // 24))
            + bytes(4)
        ),
    ),
    "pdata": (lambda d: list(decode_pdata(d, has_end=False))[-1], lambda: bytes(SIZE // 8 * 8)),
    "elf-names": (read_artifact, lambda: symbols(b"x" * (SIZE // 2), SIZE // 48, apart=1)),
    "elf-bytes": (read_artifact, lambda: symbols(b"\xff" * (SIZE // 2), 2, apart=0)),
    "elf-symbols": (read_artifact, lambda: symbols(b"ab", SIZE // 24, apart=0)),
    "elf-strings": (inspect, lambda: symbols(repeated(b"a\0"), 1, apart=0)),
    "listing-instructions": (objdump, lambda: artifact(b"\x90" * SIZE, [SIZE])),
    "listing-functions": (objdump, lambda: artifact(b"\x90" * SIZE, [8] * (SIZE // 24))),
    "listing-origins": (
        objdump,
        lambda: artifact(b"\x90" * SIZE, [SIZE], blocks(b"\2\1", SIZE // 2)),
    ),
    "explored-page": (explore, lambda: body(b"\1" * (SIZE - 2))),
    "macho-segments": (
        read_object,
        lambda: macho(struct.pack("<II", 0x19, 8), SIZE // 8) + struct.pack("<I", 256) * 32,
    ),
    "macho-sections": (
        read_object,
        lambda: macho(struct.pack("<II56xI4x", 0x19, 72 + 80, 1) + bytes(80), SIZE // 152),
    ),
    "macho-tables": (
        read_object,
        lambda: macho(struct.pack("<IIIIII", 2, 24, 32, 65536, 32, 999), SIZE // 24),
    ),
    "macho-commands": (read_image, lambda: macho(struct.pack("<II", 1, 8), SIZE // 8)),
    "coff-symbols": (
        read_object,
        lambda: (
            struct.pack("<HHIIIHH", 0x8664, 0, 0, 20, 65536, 0, 0)
            + b"".join(struct.pack("<IIIhHBB", 0, i % 900, 0, 1, 0, 2, 0) for i in range(65536))
            + struct.pack("<I", SIZE)
            + b"x" * SIZE
            + b"\0"
        ),
    ),
    "wasm-types": (read_summary, lambda: wasm(1, vector(b"\x60\0\0", SIZE // 3))),
    "wasm-references": (read_summary, lambda: wasm(1, vector(b"\x60\1\x63\0\0", SIZE // 5))),
    "wasm-params": (
        read_summary,
        lambda: wasm(1, b"\1\x60" + vector(b"\x63\xff\xff\0", SIZE // 4) + b"\0"),
    ),
    "wasm-functions": (read_summary, lambda: ONE_BODY[:14] + wasm(3, vector(b"\0", SIZE))[8:]),
    "wasm-imports": (read_summary, lambda: wasm(2, vector(b"\0\0\2\0\0", SIZE // 5))),
    "wasm-exports": (read_summary, lambda: ONE_BODY + wasm(7, vector(b"\0\0\0", SIZE // 3))[8:]),
    "wasm-sections": (find_sections, lambda: wasm(0) + repeated(b"\0\1\0")),
    "wasm-custom": (read_summary, lambda: wasm(0) + repeated(b"\0\3\2ab")),
    "wasm-features": (
        read_summary,
        lambda: wasm(0, b"\x0ftarget_features" + vector(b"+\1a", SIZE // 3)),
    ),
    "wasm-names": (
        functions,
        lambda: wasm(0, b"\4name\1" + encode_unsigned(len(NAME_MAP)) + NAME_MAP),
    ),
    "wasm-nops": (functions, lambda: body(b"\1" * SIZE)),
    "wasm-constants": (
        functions,
        lambda: body(b"".join(b"\x41" + encode_unsigned(i | 1 << 21) for i in range(SIZE // 5))),
    ),
    "wasm-labels": (functions, lambda: body(b"\x0e" + vector(b"\0", SIZE) + b"\0")),
    "wire-values": (
        lambda d: messages.decode(messages.ActionResult, d),
        lambda: repeated(b"\x62\0"),
    ),
    "wire-parts": (
        lambda d: messages.decode(messages.Action, d),
        lambda: repeated(b"\x0a\2\x12\0"),
    ),
    "settings": (read_settings, lambda: repeated(b"dir\tr\ta\tb\n")),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_memory_is_bounded_by_the_input(name: str) -> None:
    """At most 16 bytes for each, and 64 MiB."""
    decode, make = CASES[name]
    data = make()
    child = os.fork()
    if not child:
        os._exit(decode_within(FACTOR * len(data) + ROOM, decode, data))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def decode_within(room: int, decode: Callable[[bytes], object], data: bytes) -> int:
    """Decode with so many bytes to allocate, and return 0; refusals are as good as results."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + room
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        decode(data)
    except _REFUSALS:
        return 0
    except BaseException as error:  # noqa: BLE001 - the child of a test must not become one
        sys.stderr.write(f"{error!r}\n")
        return 1
    return 0
