"""The binary encoder, section by section."""

from __future__ import annotations

import struct

import pytest
import wasmtime

from mochi_rules.wasm.encode import encode_custom_section, encode_module
from mochi_rules.wasm.leb128 import decode_unsigned
from mochi_rules.wasm.module import (
    CustomSection,
    DataSegment,
    ElementSegment,
    Export,
    Function,
    Global,
    Import,
    Module,
)
from mochi_rules.wasm.types import FuncType, GlobalType, MemoryType, TableType

PREAMBLE = "00 61 73 6d 01 00 00 00"
I32_TO_I64 = FuncType(("i32",), ("i64",))

# A section alone, as (id, module, the bytes behind the preamble).
SECTIONS = [
    ("empty", Module(), ""),
    ("import func", Module(imports=[Import("m", "f", I32_TO_I64, "f")]),
     "01 06 01 60 01 7f 01 7e 02 07 01 01 6d 01 66 00 00"),
    ("import table", Module(imports=[Import("m", "t", TableType(1, 2))]),
     "02 0a 01 01 6d 01 74 01 70 01 01 02"),
    ("import memory", Module(imports=[Import("m", "m", MemoryType(300))]),
     "02 09 01 01 6d 01 6d 02 00 ac 02"),
    ("import global", Module(imports=[Import("m", "g", GlobalType("f32", mutable=True), "g")]),
     "02 08 01 01 6d 01 67 03 7d 01"),
    ("function", Module(functions=[Function("f", ["i32"], ["i64"], body=[("unreachable",)])]),
     "01 06 01 60 01 7f 01 7e 03 02 01 00 0a 05 01 03 00 00 0b"),
    ("locals", Module(functions=[Function("f", locals=["i32", "i32", "f64", "i32"])]),
     "01 04 01 60 00 00 03 02 01 00 0a 0a 01 08 03 02 7f 01 7c 01 7f 0b"),
    ("table", Module(table=TableType(3, element="externref")), "04 04 01 6f 00 03"),
    ("memory", Module(memory=MemoryType(1, 65536)), "05 06 01 01 01 80 80 04"),
    ("global", Module(globals=[Global("g", GlobalType("i32"), ("i32.const", -1))]),
     "06 06 01 7f 00 41 7f 0b"),
    ("export memory", Module(exports=[Export("mem", "memory")]), "07 07 01 03 6d 65 6d 02 00"),
    ("export table", Module(exports=[Export("t", "table")]), "07 05 01 01 74 01 00"),
    ("elements", Module(elements=[ElementSegment(8, [])]), "09 06 01 00 41 08 0b 00"),
    ("active data", Module(data=[DataSegment("d", b"ab", offset=0)]),
     "0b 08 01 00 41 00 0b 02 61 62"),
    ("passive data", Module(data=[DataSegment("d", b"ab")]), "0b 05 01 01 02 61 62"),
    ("custom", Module(custom_sections=[CustomSection("c", b"xyz")]), "00 05 01 63 78 79 7a"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("module", "want"), [case[1:] for case in SECTIONS], ids=[case[0] for case in SECTIONS]
)
def test_section(module, want):
    """A section is written as the specification has it."""
    got = encode_module(module, names=False).data
    assert got.hex(" ") == f"{PREAMBLE} {want}".strip()


def section(data, number):
    """Return the contents of a section; empty when there is none."""
    position = 8
    while position < len(data):
        size, start = decode_unsigned(data, position + 1)
        if data[position] == number:
            return data[start : start + size]
        position = start + size
    return b""


def test_names():
    """The names of the module, functions, globals, and of locals that have one come last."""
    module = Module(
        name="m",
        imports=[Import("m", "f", FuncType(), "f")],
        functions=[Function("g", ["i32", "i32", "i32"], local_names=["", "x"])],
        globals=[Global("h", GlobalType("i32"), ("i32.const", 0))],
    )
    subsections = (
        "00 02 01 6d",
        "01 07 02 00 01 66 01 01 67",
        "02 06 01 01 01 01 01 78",
        "07 04 01 00 01 68",
    )
    want = bytes.fromhex("00 20 04 6e 61 6d 65" + "".join(subsections))
    assert encode_module(module).data == encode_module(module, names=False).data + want


def function_bytes(*body):
    """Return the code of a function without its locals and its `end`."""
    encoded = encode_module(
        Module(functions=[Function("f", body=list(body))], data=[DataSegment("d", b"")])
    )
    (code,) = encoded.functions
    return section(encoded.data, 10)[code.start + 1 : code.end - 1]


BODIES = [
    ("empty block", ("block", None), "02 40"),
    ("block of a value", ("loop", "i64"), "03 7e"),
    ("block of no type", ("if", FuncType()), "04 40"),
    ("block of one result", ("block", FuncType((), ("f64",))), "02 7c"),
    ("block of a type", ("block", I32_TO_I64), "02 01"),
    ("br_table", ("br_table", (0, 1, 0), 2), "0e 03 00 01 00 02"),
    ("call", ("call", "f"), "10 00"),
    ("call_indirect", ("call_indirect", I32_TO_I64), "11 01 00"),
    ("return_call_indirect", ("return_call_indirect", FuncType()), "13 00 00"),
    ("local", ("local.tee", 300), "22 ac 02"),
    ("load", ("i64.load32_u", 2, 1024), "35 02 80 08"),
    ("memory.grow", ("memory.grow",), "40 00"),
    ("memory.copy", ("memory.copy",), "fc 0a 00 00"),
    ("saturating truncation", ("i64.trunc_sat_f64_u",), "fc 07"),
    ("vector", ("f64x2.add",), "fd f0 01"),
    ("lane access", ("v128.load8_lane", 0, 1, 15), "fd 54 00 01 0f"),
    ("shuffle", ("i8x16.shuffle", *range(16)), "fd 0d" + "".join(f" {i:02x}" for i in range(16))),
    ("i32 minimum", ("i32.const", -(2**31)), "41 80 80 80 80 78"),
    ("i32 upper half", ("i32.const", 2**32 - 1), "41 7f"),
    ("i64 upper half", ("i64.const", 2**64 - 2), "42 7e"),
    ("f32 rounds", ("f32.const", 0.1), "43 cd cc cc 3d"),
    ("f64", ("f64.const", 1.5), "44 00 00 00 00 00 00 f8 3f"),
]


@pytest.mark.parametrize(
    ("instruction", "want"), [case[1:] for case in BODIES], ids=[case[0] for case in BODIES]
)
def test_instruction(instruction, want):
    """An instruction is its code, then its immediates."""
    assert function_bytes(instruction).hex(" ") == want


def test_zeros_of_both_signs_are_kept_apart():
    """The bits of -0.0 are not those of 0.0, whichever comes first."""
    zeros = function_bytes(("f64.const", 0.0), ("f64.const", -0.0), ("f64.const", 0.0))
    assert zeros == b"\x44" + bytes(8) + b"\x44" + bytes(7) + b"\x80" + b"\x44" + bytes(8)


@pytest.mark.parametrize("bits", [0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8000000000123])
def test_nan_payload_is_kept(bits):
    """A NaN keeps its sign and payload."""
    (nan,) = struct.unpack("<d", struct.pack("<Q", bits))
    assert function_bytes(("f64.const", nan)) == b"\x44" + struct.pack("<Q", bits)


def test_types_are_numbered_by_first_use():
    """Equal types share an index; imports come first, then each function and what it uses."""
    types = [FuncType(("i32",)), FuncType(("i64",)), FuncType(("f32",)), FuncType(("f64",))]
    module = Module(
        imports=[Import("m", "a", types[0], "a")],
        functions=[
            Function("b", ["i64"], body=[("call_indirect", types[2]), ("block", types[0])]),
            Function("c", ["f64"]),
            Function("d", ["i64"]),
        ],
    )
    data = encode_module(module).data
    want = "04" + "".join(f" 60 01 {code} 00" for code in ("7f", "7e", "7d", "7c"))
    assert section(data, 1).hex(" ") == want
    assert section(data, 3).hex(" ") == "03 01 03 01"


def test_imported_functions_and_globals_come_first():
    """A name stands for an index behind those of the imports of its kind."""
    module = Module(
        imports=[
            Import("m", "g", GlobalType("i32"), "theirs"),
            Import("m", "f", FuncType(), "print"),
        ],
        functions=[Function("f", body=[("call", "f"), ("call", "print")])],
        globals=[Global("ours", GlobalType("i32"), ("global.get", "theirs"))],
        exports=[Export("o", "global", "ours"), Export("f", "func", "f")],
        start="f",
    )
    data = encode_module(module).data
    assert section(data, 6).hex(" ") == "01 7f 00 23 00 0b"
    assert section(data, 7).hex(" ") == "02 01 6f 03 01 01 66 00 01"
    assert section(data, 8).hex(" ") == "01"
    assert section(data, 10).hex(" ") == "01 06 00 10 01 10 00 0b"


@pytest.mark.parametrize(
    ("instruction", "counted"),
    [(("memory.init", "d"), True), (("data.drop", "d"), True), (("memory.fill",), False)],
)
def test_data_count_only_when_code_names_a_segment(instruction, counted):
    """The data count section is there for the code that needs it, and not otherwise."""
    module = Module(functions=[Function("f", body=[instruction])], data=[DataSegment("d", b"")])
    assert section(encode_module(module).data, 12) == (b"\x01" if counted else b"")


@pytest.mark.parametrize(
    ("module", "complaint"),
    [
        (Module(start="main"), "no function is named `main`"),
        (Module(functions=[Function("f", body=[("call", "g")])]), "no function is named `g`"),
        (Module(functions=[Function("f", body=[("global.get", "g")])]), "no global is named `g`"),
        (Module(functions=[Function("f", body=[("data.drop", "d")])]), "segment is named `d`"),
        (Module(functions=[Function("f"), Function("f")]), "two functions are named `f`"),
        (Module(functions=[Function("f", body=[("i65.add",)])]), r"i65\.add"),
        (Module(functions=[Function("f", body=[("i32.const",)])]), r"i32\.const"),
        (Module(functions=[Function("f", body=[("drop", 1)])]), "drop"),
        (Module(functions=[Function("f", body=[("i32.const", 2**32)])]), "32 bits"),
        (Module(functions=[Function("f", body=[("i64.const", -(2**63) - 1)])]), "64 bits"),
        (Module(functions=[Function("f", locals=["int"])]), "`int`"),
    ],
)
def test_mistake_in_module_names_its_cause(module, complaint):
    """What does not exist is an AssertionError that names it."""
    with pytest.raises(AssertionError, match=complaint):
        encode_module(module)


def located():
    """Return two functions with locations, and what is to be found at them."""
    return Module(
        functions=[
            Function(
                "f",
                locals=["i32"],
                body=[
                    ("loc", 0, 1),
                    ("i32.const", 1000),
                    ("loc", 0, 2),
                    ("loc", 1, 3),
                    ("local.set", 0),
                    ("loc", 0, 9),
                ],
            ),
            Function("g", body=[("nop",), ("loc", 0, 4), ("unreachable",)]),
        ]
    )


def test_locations_point_at_the_next_instruction():
    """A location is the offset of the instruction behind it; of two in a row the second holds."""
    encoded = encode_module(located())
    code = section(encoded.data, 10)
    at = [(code[offset], file, line) for offset, file, line in encoded.locations]
    assert at == [(0x41, 0, 1), (0x21, 1, 3), (0x0B, 0, 9), (0x00, 0, 4)]


def test_function_ranges_tile_the_code_section():
    """Between the ranges of functions lie only their sizes."""
    encoded = encode_module(located())
    code = section(encoded.data, 10)
    assert [item.name for item in encoded.functions] == ["f", "g"]
    end = 1
    for item in encoded.functions:
        assert item.start == end + 1
        assert code[end] == item.end - item.start
        end = item.end
    assert end == len(code)


def test_locations_make_no_code():
    """A module without locations has the same bytes."""
    module = located()
    with_locations = encode_module(module).data
    for function in module.functions:
        function.body = [item for item in function.body if item[0] != "loc"]
    assert encode_module(module).data == with_locations


def test_custom_section_may_be_appended():
    """A custom section that is added to the bytes is as good as one in the module."""
    section = CustomSection(".debug_line", b"\x01\x02")
    appended = encode_module(Module(name="m")).data + encode_custom_section(section)
    assert encode_module(Module(name="m", custom_sections=[section])).data == appended


def test_module_runs():
    """Wasmtime runs what was encoded: a tail call, a table, memory and a global together."""
    body = [
        ("i32.const", 4),
        ("i32.const", 0),
        ("i32.const", 5),
        ("memory.init", "hello"),
        ("global.get", "seven"),
        ("i32.const", 4),
        ("i32.load8_u", 0, 0),
        ("i32.const", 0),
        ("return_call_indirect", FuncType(("i32", "i32"), ("i32",))),
    ]
    module = Module(
        functions=[
            Function("add", ["i32", "i32"], ["i32"], body=[
                ("local.get", 0), ("local.get", 1), ("i32.add",)]),
            Function("main", [], ["i32"], body=body),
        ],
        table=TableType(1),
        memory=MemoryType(1),
        globals=[Global("seven", GlobalType("i32"), ("i32.const", 7))],
        exports=[Export("main", "func", "main")],
        elements=[ElementSegment(0, ["add"])],
        data=[DataSegment("hello", b"hello")],
    )  # fmt: skip
    store = wasmtime.Store()
    loaded = wasmtime.Module(store.engine, encode_module(module).data)
    main = wasmtime.Instance(store, loaded, []).exports(store)["main"]
    assert main(store) == 7 + ord("h")


def test_location_is_where_wasmtime_traps():
    """The offset of a trap in a backtrace, less the start of the section, is its location."""
    body = [("loc", 0, 1), ("nop",), ("loc", 0, 2), ("unreachable",)]
    module = Module(functions=[Function("f", locals=["i64"], body=body)])
    module.exports = [Export("f", "func", "f")]
    encoded = encode_module(module)
    store = wasmtime.Store()
    loaded = wasmtime.Module(store.engine, encoded.data)
    with pytest.raises(wasmtime.Trap) as caught:
        wasmtime.Instance(store, loaded, []).exports(store)["f"](store)
    (frame,) = caught.value.frames
    start = encoded.data.index(section(encoded.data, 10))
    assert (frame.module_offset - start, 0, 2) == encoded.locations[1]
