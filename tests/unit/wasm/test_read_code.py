"""Functions read back from binaries: what the encoder wrote, and what hostile bytes become."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.wasm.encode import encode_module
from mochi_rules.wasm.leb128 import encode_unsigned
from mochi_rules.wasm.module import Function, Module
from mochi_rules.wasm.reader.cursor import Cursor
from mochi_rules.wasm.reader.read_code import read_functions
from mochi_rules.wasm.reader.read_names import read_names
from mochi_rules.wasm.reader.sections import custom_section, find_sections
from mochi_rules.wasm.wat import print_body, print_function, print_head

PROGRAMS = sorted((Path(__file__).parents[2] / "golden" / "run").glob("*.mochi"))[:12]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_functions_read_back_print_as_they_were(path) -> None:
    """Of a program's own binary, every function prints as the module that was encoded does."""
    text = path.read_text(encoding="utf-8")
    result = compile_program(CompileRequest("t.mochi", {"t.mochi": text}))
    assert result.module is not None
    segments = {f"${item.name}": f"${i}" for i, item in enumerate(result.module.data)}

    found = list(read_functions(result.wasm))

    assert [item.rest for item in found] == [""] * len(result.module.functions)
    for item, function in zip(found, result.module.functions, strict=True):
        shown = print_function(item.function).splitlines()
        assert shown == [_read(line, segments) for line in print_function(function).splitlines()]


def _read(line: str, segments: dict[str, str]) -> str:
    """Return a line as reading gives it: segments have no names, and integers are signed."""
    start, _, operand = line.rpartition(" ")
    mnemonic = start.strip()
    if mnemonic in ("memory.init", "data.drop"):
        return f"{start} {segments[operand]}"
    if mnemonic in ("i32.const", "i64.const"):
        bits = int(mnemonic[1:3])
        return f"{start} {int(operand) - ((int(operand) >> bits - 1 == 1) << bits)}"
    return line


def test_offsets_are_those_of_the_file() -> None:
    """Each offset is where the instruction's code lies; the last is that of the last `end`."""
    body = [("i32.const", 7), ("if", None), ("nop",), ("end",), ("i32.const", 1)]
    function = Function("f", [], ["i32"], ["i64", "i64", "f32"], list(body))
    data = encode_module(Module(functions=[function])).data

    [found] = read_functions(data)

    codes = [0x41, 0x04, 0x01, 0x0B, 0x41, 0x0B]
    assert [data[offset] for offset in found.offsets] == codes
    assert found.offsets[-1] + 1 == found.end
    assert data[found.start : found.offsets[0]] == bytes([2, 2, 0x7E, 1, 0x7D])
    assert found.function.body == body
    assert len(list(print_body(found.function))) == len(found.offsets) - 1


def test_print_is_head_and_body() -> None:
    """A function's text is its head, a line for each instruction, and a parenthesis."""
    function = Function("f", ["i32"], [], ["i64"], [("local.get", 0), ("drop",)])

    assert print_function(function).splitlines() == [
        *print_head(function),
        *print_body(function),
        ")",
    ]


def test_unknown_instruction_ends_a_function_early() -> None:
    """An instruction that is not in the table is reported, and the next function is whole."""
    data = bytearray(
        encode_module(
            Module(functions=[Function("a", body=[("nop",)]), Function("b", body=[("nop",)])])
        ).data
    )
    first, _ = read_functions(bytes(data))
    data[first.offsets[0]] = 0x06  # `try` of an abandoned proposal

    first, second = read_functions(bytes(data))

    assert (first.function.body, first.rest) == ([], "an instruction 0x06")
    assert (second.function.body, second.rest) == ([("nop",)], "")


def test_body_without_end_is_malformed() -> None:
    """A body that stops before its `end` is an error that names the function."""
    data = bytearray(encode_module(Module(functions=[Function("f", body=[("nop",)])])).data)
    [found] = read_functions(bytes(data))
    data[found.offsets[-1]] = 0x01

    with pytest.raises(MochiError, match=r"a body without its `end` \(function 0"):
        list(read_functions(bytes(data)))


def test_locals_are_bounded() -> None:
    """A few bytes cannot declare locals without end, one function after the other."""
    many = b"\x01" + encode_unsigned(40_000) + b"\x7f\x0b"
    bodies = encode_unsigned(30) + (bytes([len(many)]) + many) * 30
    head = b"\0asm\1\0\0\0" + b"\1\4\1\x60\0\0" + b"\3" + bytes([31, 30]) + bytes(30)
    data = head + b"\x0a" + encode_unsigned(len(bodies)) + bodies

    with pytest.raises(MochiError, match="more than 1000000 locals"):
        list(read_functions(data))


def test_every_truncation_is_reported() -> None:
    """A binary cut anywhere is malformed, or one with fewer sections; nothing else is raised."""
    data = encode_module(Module(functions=[Function("f", body=[("i32.const", 5), ("drop",)])])).data
    for end in range(len(data)):
        with suppress(MochiError):
            assert len(list(read_functions(data[:end]))) <= 1


def test_component_has_no_functions() -> None:
    """The functions of a component are in its modules, which are not looked into."""
    assert list(read_functions(b"\0asm\x0d\0\1\0")) == []


def test_damaged_name_section_gives_what_could_be_read() -> None:
    """Wrong names are not an error: a custom section never makes a module malformed."""
    data = encode_module(Module(functions=[Function("f", body=[])])).data
    [place] = [place for place in find_sections(data) if place.name == "name"]
    names = custom_section(data, [place], "name")
    damaged = data[: place.start] + b"\x01\x05\x01\x00\x7f" + names[5:] + data[place.end :]

    [found] = read_functions(damaged)

    assert found.function.name == "f0"


def test_sections_are_found_where_they_lie() -> None:
    """A section's contents are between its offsets; that of a custom one follow its name."""
    data = b"\0asm\1\0\0\0" + b"\1\4\1\x60\0\0" + b"\0\4\2hiX"
    first, second = find_sections(data)

    assert (first.number, data[first.start : first.end]) == (1, b"\1\x60\0\0")
    assert (second.name, data[second.start : second.end]) == ("hi", b"X")
    assert custom_section(data, [first, second], "hi") == b"X"
    assert custom_section(data, [first, second], "other") == b""


def test_names_of_functions_locals_and_globals() -> None:
    """The three maps that are used here are read; the others are skipped."""
    data = b"\0\2\1m" + b"\1\4\1\3\1f" + b"\2\6\1\3\1\0\1x" + b"\x09\1\0" + b"\7\4\1\0\1g"
    names = read_names(Cursor(data, "name section"))

    assert (names.functions, names.locals, names.globals) == ({3: "f"}, {3: {0: "x"}}, {0: "g"})
