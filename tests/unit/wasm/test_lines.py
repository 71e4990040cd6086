"""The section `mochi.lines`: what is written is read back, and damage ends in a sentence."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.wasm.debug.line_table import LineTable, read_line_table
from mochi_rules.wasm.debug.lines import find_lines, lines_section
from mochi_rules.wasm.debug.read_lines import read_lines
from mochi_rules.wasm.encode import Encoded, encode_custom_section, encode_module
from mochi_rules.wasm.module import Function, Module
from mochi_rules.wasm.reader.sections import find_sections
from mochi_rules.wasm.types import Section

FILES = ["lib/text.mochi", "ü.mochi"]
PROGRAM = "fun f(n: int): int {\n  let m = n * len(input())\n  return m\n}\n\nprint(f(21))\n"


def _encoded() -> Encoded:
    first = [("loc", 1, 3), ("i32.const", 7), ("drop",), ("loc", 1, 3), ("i32.const", 8)]
    second = [("i32.const", 1), ("loc", 0, 900), ("drop",), ("loc", 0, 2), ("call", "first")]
    no_source = [("i32.const", 1)]
    bodies = {"before": no_source, "first": first, "second": second, "behind": no_source}
    functions = [Function(name, results=["i32"], body=body) for name, body in bodies.items()]
    return encode_module(Module(functions=functions), names=False)


def _wasm(encoded: Encoded) -> bytes:
    return encoded.data + encode_custom_section(lines_section(encoded, FILES))


def _table(wasm: bytes) -> LineTable:
    return read_lines(find_lines(wasm))


def test_every_location_is_found_at_its_offset_in_the_file() -> None:
    """Offsets are those that Wasmtime gives for a frame."""
    encoded = _encoded()
    wasm = _wasm(encoded)
    table = _table(wasm)
    [code] = [place.start for place in find_sections(wasm) if place.number == Section.CODE]
    for offset, file, line in encoded.locations:
        assert table.find(code + offset) == (file, line)
    assert table.files == tuple(FILES)


def test_prologue_belongs_to_the_first_line() -> None:
    """Nothing of a function that comes from a source is without a place; others have none."""
    encoded = _encoded()
    table = _table(_wasm(encoded))
    assert [place and place.line for _, place in table.rows()] == [3, 900, 2, None]
    starts = {function.name: function.start for function in encoded.functions}
    base = table.starts[0] - starts["first"]
    assert table.starts[1] == base + starts["second"]
    assert table.starts[3] == base + starts["behind"]


def test_behind_the_code_there_is_no_place() -> None:
    """What has no offset is reported at the largest."""
    wasm = compile_program(CompileRequest("a.mochi", {"a.mochi": PROGRAM})).wasm
    assert _table(wasm).find(2**64 - 1) is None


def test_compiler_writes_the_same_lines_as_dwarf() -> None:
    """With names and without, with DWARF and without; and the code is the same."""
    sources = {"a.mochi": PROGRAM}
    plain = compile_program(CompileRequest("a.mochi", sources, debug_names=False)).wasm
    full = compile_program(CompileRequest("a.mochi", sources, debug_info=True)).wasm
    dwarf = read_line_table(full)
    table = _table(plain)
    assert find_lines(full) == find_lines(plain)
    assert {place.line for _, place in table.rows() if place} == {2, 6}
    for start, place in table.rows():
        assert dwarf.find(start) == place
    for start, place in dwarf.rows():
        assert place in (None, table.find(start))  # a function's size lies between two functions
    assert len(find_lines(plain)) < 40


def test_module_without_the_section_has_no_lines() -> None:
    """Foreign modules have none."""
    assert find_lines(encode_module(Module()).data) == b""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x05\x01a",  # a name is missing
        b"\xff\xff\xff\xff\x0f",  # so many names cannot be
        b"\x01\x01\xff",  # not UTF-8
        b"\x00\x07",  # a row that ends after its offset
        b"\x00\x80",  # in the middle of a number
        b"\x01\x01a\x07\x01",  # without its line
        b"\x01\x01a\x07\x02\x02",  # of the second file of one
        b"\x01\x01a\x07\x01\x01",  # in line -1
    ],
)
def test_damage_is_reported(data: bytes) -> None:
    """A damaged section is one error, never another exception."""
    with pytest.raises(MochiError, match="A011"):
        read_lines(data)
