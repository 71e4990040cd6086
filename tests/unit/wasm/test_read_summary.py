"""The reader of foreign binaries: what it reports, and what it refuses."""

from __future__ import annotations

import pytest
import wasmtime

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.wasm.reader.read_summary import (
    ExportSummary,
    ImportSummary,
    ModuleSummary,
    read_summary,
)
from mochi_rules.wasm.types import FuncType, GlobalType, MemoryType, TableType

PREAMBLE = b"\0asm\1\0\0\0"

FOREIGN = """(module
  (type (func (param i32)))
  (import "env" "log" (func $log (param i32 i64) (result f64)))
  (import "env" "table" (table 1 2 funcref))
  (import "env" "base" (global i32))
  (memory 2 10)
  (global $limit i64 (i64.const -3))
  (func $main (type 0))
  (func $other)
  (export "main" (func $main))
  (export "log" (func $log))
  (export "memory" (memory 0))
  (export "table" (table 0))
  (export "limit" (global $limit))
  (@custom "build_id" "abc")
  (data (i32.const 0) "x"))"""


def diagnosis(data):
    """Return the only diagnostic of what cannot be read."""
    with pytest.raises(MochiError) as caught:
        read_summary(data)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_module():
    """Imports, exports, functions, memories and custom sections are reported with their types."""
    log = FuncType(("i32", "i64"), ("f64",))
    table = TableType(1, 2)
    memory = MemoryType(2, 10)
    assert read_summary(bytes(wasmtime.wat2wasm(FOREIGN))) == ModuleSummary(
        kind="module",
        imports=(
            ImportSummary("env", "log", "func", log),
            ImportSummary("env", "table", "table", table),
            ImportSummary("env", "base", "global", GlobalType("i32")),
        ),
        exports=(
            ExportSummary("main", "func", FuncType(("i32",))),
            ExportSummary("log", "func", log),
            ExportSummary("memory", "memory", memory),
            ExportSummary("table", "table", table),
            ExportSummary("limit", "global", GlobalType("i64")),
        ),
        defined_functions=2,
        memories=(memory,),
        custom_sections=("build_id", "name"),
    )


def test_component():
    """Of a component the custom sections are reported, not those of the modules in it."""
    text = '(component (core module (@custom "inner" "x") (func)) (@custom "outer" "y"))'
    summary = read_summary(bytes(wasmtime.wat2wasm(text)))
    assert summary == ModuleSummary("component", custom_sections=("outer",))


@pytest.mark.parametrize(
    ("fields", "feature"),
    [
        ("(type (func (result i32 i32)))", "multivalue"),
        ("(type (func (param v128)))", "simd128"),
        ("(type (func (param externref)))", "reference-types"),
        ("(table 1 funcref) (table 1 funcref)", "reference-types"),
        ("(table 1 (ref func) (ref.func $f)) (func $f)", "gc"),
        ("(type (func (param exnref)))", "exception-handling"),
        ("(tag (param i32))", "exception-handling"),
        ('(import "m" "t" (tag (param i32)))', "exception-handling"),
        ('(global (export "g") (mut i32) (i32.const 0))', "mutable-globals"),
        ('(import "m" "g" (global (mut i32)))', "mutable-globals"),
        ('(data "passive") (func (data.drop 0))', "bulk-memory"),
        ("(memory 1) (memory 1)", "multimemory"),
        ("(memory 1 2 shared)", "atomics"),
        ("(memory i64 1)", "memory64"),
        ("(memory 1 (pagesize 1))", "custom-page-sizes"),
        ("(type (struct (field i8) (field (mut (ref null 0)))))", "gc"),
        ("(rec (type (sub (array i16))) (type (sub final 0 (array i16))))", "gc"),
        ("(type (func (param anyref (ref null nofunc) nullref)))", "gc"),
        ('(@custom "target_features" "\\02+\\09tail-call-\\04nope")', "tail-call"),
    ],
)
def test_feature(fields, feature):
    """A section or type that needs a feature shows it."""
    assert read_summary(bytes(wasmtime.wat2wasm(f"(module {fields})"))).features == (feature,)


def test_broken_target_features_are_ignored():
    """What a custom section holds never makes a module malformed."""
    text = '(module (@custom "target_features" "\\7f+\\ff"))'
    summary = read_summary(bytes(wasmtime.wat2wasm(text)))
    assert (summary.custom_sections, summary.features) == (("target_features",), ())


@pytest.mark.parametrize(
    "expression",
    [
        "i32 (i32.add (i32.const 1) (i32.const -2))",
        "i64 (i64.const -9223372036854775808)",
        "f32 (f32.const 11)",
        "f64 (f64.const 11)",
        "v128 (v128.const i8x16 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11)",
        "i32 (global.get 0)",
        "funcref (ref.func $f)",
        "funcref (ref.null func)",
        "(ref null $a) (ref.null $a)",
        "(ref $a) (array.new_fixed $a 2 (i32.const 1) (i32.const 2))",
        "anyref (ref.i31 (i32.const 5))",
    ],
)
def test_constant_expression_is_skipped(expression):
    """What stands behind a constant expression is read, even where a constant looks like `end`."""
    text = f"""(module (type $a (array i32)) (import "m" "g" (global i32)) (func $f)
      (global {expression}) (global (export "last") f32 (f32.const 0)))"""
    summary = read_summary(bytes(wasmtime.wat2wasm(text)))
    assert summary.exports == (ExportSummary("last", "global", GlobalType("f32")),)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"\x7fELF\2\1\1", "ELF"),
        (b"\xcf\xfa\xed\xfe", "Mach-O"),
        (b"MZ\x90", "Windows"),
        (b"!<arch>\n", "library"),
        (b"BC\xc0\xde", "bitcode"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"PK\x03\x04", "zip"),
        (b"(module)", "text"),
        (b"\n ;; a comment\n(module)", "text"),
        (b"print(1)\n", "70 72 69 6e 74"),
        (b"\0asm\2\0\0\0", "version 2 of layer 0"),
        (b"\0asm\1\0\2\0", "version 1 of layer 2"),
    ],
)
def test_not_wasm_says_what_it_is(data, what):
    """Something else than WebAssembly is A010 and says what it looks like."""
    diagnostic = diagnosis(data)
    assert diagnostic.code == "A010"
    assert what in diagnostic.message


MALFORMED = [
    ("magic cut off", b"\0as", "3 of 4 bytes are there (preamble, byte 0)"),
    ("version cut off", b"\0asm\1\0", "0 of 2 bytes are there (preamble, byte 6)"),
    ("no size", PREAMBLE + b"\1", "unexpected end inside an integer (type section, byte 9)"),
    ("size lies", PREAMBLE + b"\1\x80\x80\x80\x80\x08", "(type section, byte 14)"),
    ("over-long size", PREAMBLE + b"\1\x80\x80\x80\x80\x80\0", "32 bits need (type section"),
    ("size too large", PREAMBLE + b"\1\xff\xff\xff\xff\x7f", "fit in 32 bits (type section"),
    ("huge count", PREAMBLE + b"\1\5\xff\xff\xff\xff\x0f", "4294967295 items in 0 bytes"),
    ("section too long", PREAMBLE + b"\1\2\0\0", "bytes at the end: 1 (type section, byte 11)"),
    ("unknown section", PREAMBLE + b"\x63\0", "duplicate or misplaced section (section 99"),
    ("duplicate section", PREAMBLE + b"\1\1\0\1\1\0", "unknown, duplicate or misplaced section"),
    ("misplaced section", PREAMBLE + b"\3\1\0\1\1\0", "unknown, duplicate or misplaced section"),
    ("value type", PREAMBLE + b"\1\5\1\x60\1\x10\0", "value type 0x10 (type section, byte 13)"),
    ("heap type", PREAMBLE + b"\1\6\1\x60\1\x64\x40\0", "heap type (type section, byte 14)"),
    ("form of type", PREAMBLE + b"\1\2\1\x40", "form of type 0x40 (type section, byte 11)"),
    ("type index", PREAMBLE + b"\3\2\1\0", "no type has index 0 (function section, byte 11)"),
    ("struct as type", PREAMBLE + b"\1\3\1\x5f\0\3\2\1\0", "not that of a function (func"),
    ("no bodies", PREAMBLE + b"\1\4\1\x60\0\0\3\2\1\0", "functions declared: 1, bodies: 0"),
    ("limits", PREAMBLE + b"\5\3\1\x10\1", "form of limits 0x10 (memory section, byte 11)"),
    ("mutability", PREAMBLE + b"\6\6\1\x7f\2\x41\0\x0b", "0 or 1 expected, got 2 (global section"),
    ("constant", PREAMBLE + b"\6\6\1\x7f\0\x10\0\x0b", "0x10 in a constant expression"),
    ("prefixed constant", PREAMBLE + b"\6\7\1\x7f\0\xfd\x80\2\x0b", "in a constant expression"),
    ("kind", PREAMBLE + b"\2\5\1\0\0\5\0", "unknown kind of import or export 5"),
    ("name", PREAMBLE + b"\2\6\1\1\xff\0\0\0", "a name is not UTF-8 (import section, byte 12)"),
    ("name too long", PREAMBLE + b"\0\1\5", "0 of 5 bytes are there (custom section, byte 11)"),
    ("export index", PREAMBLE + b"\7\4\1\0\2\0", "no memory has index 0 (export section, byte 13)"),
    ("component", b"\0asm\x0d\0\1\0\7\5\0", "1 of 5 bytes are there (section 7, byte 10)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "reason"), [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED]
)
def test_malformed_says_where(data, reason):
    """Malformed WebAssembly is A011, with the section and the offset in the file."""
    diagnostic = diagnosis(data)
    assert diagnostic.code == "A011"
    assert reason in diagnostic.message


def is_readable(data):
    """Return whether the data are fine."""
    try:
        read_summary(data)
    except MochiError:
        return False
    return True


def test_truncated_anywhere_is_refused_or_a_module():
    """A module that is cut off is refused, unless it is cut between two sections."""
    data = bytes(wasmtime.wat2wasm(FOREIGN))
    boundaries = set()
    position = 8
    while position < len(data):
        boundaries.add(position)
        position += 2 + data[position + 1]
    for length in range(1, len(data)):
        if length in boundaries and is_readable(data[:length]):
            continue
        assert diagnosis(data[:length]).code == "A011"
