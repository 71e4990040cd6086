"""Line tables read back: against our own writer, against LLVM, and damaged ones."""

from __future__ import annotations

import posixpath
import re
import struct
import subprocess
from pathlib import Path

import pytest

from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.wasm.debug.dwarf import dwarf_sections
from mochi_rules.wasm.debug.line_table import (
    LineTable,
    MalformedLines,
    Place,
    decode_lines,
    read_line_table,
)
from mochi_rules.wasm.encode import encode_custom_section, encode_module
from mochi_rules.wasm.leb128 import encode_signed, encode_unsigned
from mochi_rules.wasm.module import Function, Module
from mochi_rules.wasm.reader.sections import custom_section, find_sections
from tests.needs import need

FILES = ["lib/text.mochi", "app.mochi"]
EXAMPLES = Path(__file__).parents[3] / "examples"


def _module() -> Module:
    helper = Function("helper", results=["i32"], body=[("i32.const", 1)])
    first = [("loc", 1, 3), ("i32.const", 7), ("drop",), ("loc", 1, 4), ("i32.const", 8)]
    second = [("loc", 0, 12), ("call", "first"), ("loc", 0, 11), ("i32.const", 0), ("i32.add",)]
    return Module(
        functions=[
            helper,
            Function("first", results=["i32"], body=first),
            Function("second", results=["i32"], body=second),
        ]
    )


def _wasm() -> bytes:
    encoded = encode_module(_module())
    return encoded.data + b"".join(
        map(encode_custom_section, dwarf_sections(encoded, FILES, "mochi_rules"))
    )


def _sequence(address: int, *rows: tuple[int, int], size: int = 8) -> bytes:
    """Return a sequence of rows `(steps, lines)`, ending four bytes later."""
    out = b"\0" + encode_unsigned(1 + size) + b"\x02" + address.to_bytes(size, "little")
    for steps, lines in rows:
        out += b"\x02" + encode_unsigned(steps) + b"\x03" + encode_signed(lines) + b"\x01"
    return out + b"\x02\x04" + b"\0\x01\x01"


def _unit(program: bytes, version: int = 4, tables: bytes = b"\0a.c\0\0\0\0\0") -> bytes:
    fixed = b"\x01\x01\x01\xfb\x0e\x0d" if version >= 4 else b"\x01\x01\xfb\x0e\x0d"
    rest = fixed + bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1)) + tables
    sizes = b"\x08\0" if version >= 5 else b""
    body = struct.pack("<H", version) + sizes + struct.pack("<I", len(rest)) + rest + program
    return struct.pack("<I", len(body)) + body


def test_what_our_writer_wrote_is_read() -> None:
    """Every location of the encoder is found at its offset in the file, by file and line."""
    encoded = encode_module(_module())
    wasm = _wasm()
    table = read_line_table(wasm)
    [code] = [place.start for place in find_sections(wasm) if place.number == 10]

    for offset, file, line in encoded.locations:
        place = table.find(code + offset)
        assert place is not None
        assert (table.files[place.file], place.line) == (FILES[file], line)


def test_functions_without_a_line_have_no_place() -> None:
    """Before, between and behind the functions that come from a source there is nothing."""
    encoded = encode_module(_module())
    wasm = _wasm()
    table = read_line_table(wasm)
    [code] = [place.start for place in find_sections(wasm) if place.number == 10]
    helper, first, second = encoded.functions

    assert table.find(code + helper.start) is None
    assert table.find(code + first.end) is None
    assert table.find(code + second.end) is None
    assert table.find(0) is None


def test_module_without_lines_has_an_empty_table() -> None:
    """No debug information is not an error."""
    assert read_line_table(encode_module(_module()).data) == LineTable()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["report/table", "wordcount/wordcount", "matmul/matmul"])
def test_llvm_reads_the_same_lines(name, tmp_path) -> None:
    """For real programs, `llvm-dwarfdump` finds the same file and line at each address."""
    need("llvm-dwarfdump")
    folder = (EXAMPLES / name).parent
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.mochi")}
    main = Path(name).name + ".mochi"
    wasm = compile_program(CompileRequest(main, texts, debug_info=True)).wasm
    (tmp_path / "t.wasm").write_bytes(wasm)

    assert _compare_with_llvm(tmp_path / "t.wasm") > 5


@pytest.mark.slow
@pytest.mark.parametrize("version", [4, 5])
def test_llvm_reads_the_same_lines_of_c(version, tmp_path) -> None:
    """The lines of another compiler are read too, of either version of DWARF."""
    need("clang", "wasm-ld", "llvm-dwarfdump")
    (tmp_path / "part.h").write_text("static int twice(int x) {\n  return x + x;\n}\n")
    (tmp_path / "main.c").write_text(
        '#include "part.h"\nint run(int n) {\n  int sum = 0;\n'
        "  while (n > 0)\n    sum += twice(n--);\n  return sum;\n}\n"
    )
    words = f"clang --target=wasm32 -nostdlib -g -gdwarf-{version} -Wl,--no-entry -Wl,--export-all"
    subprocess.run([*words.split(), "main.c", "-o", "t.wasm"], cwd=tmp_path, check=True)

    assert _compare_with_llvm(tmp_path / "t.wasm") > 5


def _compare_with_llvm(path: Path) -> int:
    """Compare each row with what `llvm-dwarfdump` says, and return how many there are."""
    wasm = path.read_bytes()
    shown = subprocess.run(
        ["llvm-dwarfdump", "--debug-line", str(path)], check=True, capture_output=True, text=True
    ).stdout
    table = read_line_table(wasm)
    [code] = [place.start for place in find_sections(wasm) if place.number == 10]
    names = dict(re.findall(r'file_names\[ *(\d+)\]:\n +name: "(.*)"', shown))
    row = re.compile(r"^0x([0-9a-f]{16}) +(\d+) +\d+ +(\d+) .*?(end_sequence)?$", re.MULTILINE)
    rows = row.findall(shown)
    last = {address: (file, int(line)) for address, line, file, end in rows if not end}
    for address, (file, line) in last.items():
        place = table.find(code + int(address, 16))
        if line:
            assert place is not None
            assert (posixpath.basename(table.files[place.file]), place.line) == (
                posixpath.basename(names[file]),
                line,
            )
    return len(last)


@pytest.mark.parametrize("version", [2, 3, 4])
def test_versions_with_listed_files(version) -> None:
    """DWARF 2 to 4 list directories and files; an operation may advance address and line."""
    tables = b"lib\0\0" + b"a.c\0\x01\0\0" + b"\0"
    program = _sequence(0x10, (0, 4))[:-5] + bytes([0x0D + 5 + 3 + 14 * 2]) + b"\x02\x04\0\x01\x01"
    table = decode_lines(_unit(program, version, tables), {})

    assert table.files == ("lib/a.c",)
    assert list(table.rows()) == [(0x10, Place(0, 5)), (0x12, Place(0, 8)), (0x16, None)]


def test_version_5_describes_its_files() -> None:
    """DWARF 5 says how its entries are encoded; strings may be in a section of their own."""
    formats = b"\x01\x01\x1f" + b"\x02" + struct.pack("<II", 0, 5)
    files = b"\x02\x01\x1f\x02\x0b" + b"\x01" + struct.pack("<IB", 9, 1)
    program = b"\x04\x00"  # the file with the number 0
    data = _unit(program + _sequence(4, (0, 6)), 5, formats + files)

    table = decode_lines(data, {".debug_line_str": b"/tmp\0lib\0a.c\0"})

    assert table.files == ("lib/a.c",)
    assert [place for _, place in table.rows()] == [Place(0, 7), None]


def test_big_endian() -> None:
    """The tables of a big-endian machine have their numbers the other way round."""
    program = _sequence(0x20, (0, 1)).replace((0x20).to_bytes(8, "little"), (0x20).to_bytes(8))
    rest = b"\x01\x01\x01\xfb\x0e\x0d" + bytes((0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1))
    rest += b"\0a.c\0\0\0\0\0"
    body = struct.pack(">HI", 4, len(rest)) + rest + program

    table = decode_lines(struct.pack(">I", len(body)) + body, {}, order="big")

    assert list(table.starts) == [0x20, 0x24]


def test_code_that_was_left_out_has_no_lines() -> None:
    """A linker describes what it dropped at address 0; `first` leaves that out."""
    data = _unit(_sequence(0, (0, 8)) + _sequence(0x40, (0, 3)))

    assert decode_lines(data, {}, first=1, base=100).starts.tolist() == [140 + 24, 168]


def test_line_0_is_no_place() -> None:
    """Compilers write line 0 for code that comes from no line."""
    table = decode_lines(_unit(_sequence(8, (0, 1), (2, -2))), {})

    assert [place for _, place in table.rows()] == [Place(0, 2), None]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x50\0\0\0\4\0", "longer than the section"),
        (b"\x02\0\0\0\x09\0", "version 9 of DWARF"),
        (_unit(b"\0\x09\x02\1\2"), "it ends too early"),
        (_unit(b"", 4, b"\0a.c"), "it ends too early"),
        (_unit(b"", 5, b"\x01\x01\x77\x01"), "form 0x77"),
        (_unit(b"", 5, b"\0\x05"), "entries of nothing"),
    ],
)
def test_damage_is_reported(data, reason) -> None:
    """A damaged table ends in a finding that says where, and in nothing else."""
    with pytest.raises(MalformedLines, match=reason):
        decode_lines(data, {})


def test_every_truncation_and_every_flip_ends() -> None:
    """Cut anywhere, or with any byte changed, a table is read or refused."""
    wasm = _wasm()
    data = custom_section(wasm, find_sections(wasm), ".debug_line")
    for end in range(len(data)):
        _read_or_refuse(data[:end])
    for position in range(len(data)):
        for value in (0, 1, 0x7F, 0x80, 0xFF):
            _read_or_refuse(data[:position] + bytes([value]) + data[position + 1 :])


def _read_or_refuse(data: bytes) -> None:
    try:
        table = decode_lines(data, {})
    except MalformedLines:
        return
    assert list(table.starts) == sorted(table.starts)
    assert len(table.starts) == len(table.owners) == len(table.lines)
