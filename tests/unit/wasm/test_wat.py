"""The printer: golden strings, and Wasmtime's assembler as the reader."""

from __future__ import annotations

import math
import runpy
import struct
from pathlib import Path

import pytest
import wasmtime

from mochi_rules.wasm.encode import encode_module
from mochi_rules.wasm.module import DataSegment, Function, Module
from mochi_rules.wasm.types import FuncType, GlobalType, MemoryType, TableType
from mochi_rules.wasm.wat import print_function, print_module, print_type

# NAME.py holds MODULE, NAME.wat its text with locations.
GOLDEN = Path(__file__).parents[2] / "golden" / "wat_printer"
CASES = sorted(path.stem for path in GOLDEN.glob("*.py"))


def load(case):
    """Return the module of a golden case."""
    return runpy.run_path(str(GOLDEN / f"{case}.py"))["MODULE"]


def assembles(module, *, locations=False):
    """Return whether the text of a module assembles to its encoding, names aside."""
    binary = encode_module(module, names=False).data
    return wasmtime.wat2wasm(print_module(module, locations=locations)).startswith(binary)


@pytest.mark.parametrize("case", CASES)
def test_golden_text(case, golden):
    """A module prints as its golden file."""
    golden(GOLDEN / f"{case}.wat", print_module(load(case), locations=True))


def test_every_golden_has_a_module():
    """No golden file is left behind when its case goes."""
    assert sorted(path.stem for path in GOLDEN.glob("*.wat")) == CASES


@pytest.mark.parametrize("case", CASES)
def test_golden_assembles_to_its_encoding(case):
    """The text of a module assembles to the bytes of the encoder, names aside."""
    assert assembles(load(case), locations=True)


def test_locations_are_comments_on_request():
    """Locations are shown when they are asked for."""
    function = Function("f", body=[("loc", 2, 7), ("nop",)])
    assert ";; @2:7" in print_function(function, locations=True)
    assert ";;" not in print_function(function)


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        (("i64.load", 3, 0), "i64.load"),
        (("i64.load", 0, 8), "i64.load offset=8 align=1"),
        (("v128.load16_lane", 1, 2, 7), "v128.load16_lane offset=2 7"),
        (("br_table", (0, 0), 0), "br_table 0 (;@0;) 0 (;@0;) 0 (;@0;)"),
        (("call", "list<int>.get"), "call $list<int>.get"),
        (("call", 'a "b"'), r'call $"a \22b\22"'),
        (("local.get", 9), "local.get 9"),
        (("f64.const", 0.1), "f64.const 0.1"),
        (("f64.const", -math.inf), "f64.const -inf"),
        (("f32.const", 0.1), "f32.const 0.10000000149011612"),
    ],
)
def test_instruction_text(instruction, text):
    """Immediates are written as in WAT; the usual ones are left out."""
    lines = print_function(Function("f", body=[instruction])).splitlines()
    assert lines == ["(func $f", f"  {text}", ")"]


def test_doubled_local_names_are_numbers():
    """Two locals of one name, or one without, are distinguished by their numbers."""
    function = Function("f", ["i32", "i32", "i64", "i32"], local_names=["x", "y", "x", ""])
    function.body = [("local.get", 0), ("local.get", 1)]
    lines = print_function(function).splitlines()
    assert lines[0] == "(func $f (param i32) (param $y i32) (param i64 i32)"
    assert lines[1:3] == ["  local.get 0", "  local.get $y"]


FLOATS = [0x0, 0x8000000000000000, 0x1, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF8000000000000,
          0x7FF8000000000001, 0x3FB999999999999A, 0x0010000000000000]  # fmt: skip


@pytest.mark.parametrize("mnemonic", ["f32.const", "f64.const"])
@pytest.mark.parametrize("bits", FLOATS)
def test_float_reads_back_as_the_same_bits(mnemonic, bits):
    """A printed float assembles to the bits that the encoder writes."""
    (value,) = struct.unpack("<d", struct.pack("<Q", bits))
    if mnemonic == "f32.const" and math.isfinite(value) and abs(value) > 3e38:
        value = math.copysign(3e38, value)
    module = Module(functions=[Function("f", body=[(mnemonic, value), ("drop",)])])
    assert assembles(module)


def test_every_byte_of_data_reads_back():
    """Data of all bytes assembles to itself."""
    module = Module(data=[DataSegment("d", bytes(range(256)))])
    assert assembles(module)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (FuncType(), "(func)"),
        (FuncType(("i32", "i64"), ("f64",)), "(func (param i32 i64) (result f64))"),
        (TableType(1, 2), "(table 1 2 funcref)"),
        (MemoryType(1), "(memory 1)"),
        (GlobalType("i32"), "(global i32)"),
        (GlobalType("i32", mutable=True), "(global (mut i32))"),
    ],
)
def test_type_text(type_, text):
    """The type of an import or export is one line of WAT."""
    assert print_type(type_) == text
