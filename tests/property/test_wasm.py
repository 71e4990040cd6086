"""Properties of the WebAssembly package; Wasmtime is the judge."""

from __future__ import annotations

import math
import runpy
import struct
from pathlib import Path

import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.wasm.debug.read_lines import read_lines
from mochi_rules.wasm.encode import encode_module
from mochi_rules.wasm.leb128 import (
    decode_signed,
    decode_unsigned,
    encode_signed,
    encode_unsigned,
)
from mochi_rules.wasm.module import Export, Function, Module
from mochi_rules.wasm.reader.read_summary import read_summary
from mochi_rules.wasm.wat import print_module

SAMPLE = Path(__file__).parents[1] / "golden" / "wat_printer" / "everything.py"
ENGINE = wasmtime.Engine()
MASK = 2**64 - 1


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3))
def test_unsigned_round_trip(value, rest):
    """An unsigned integer reads back, whatever follows it."""
    data = encode_unsigned(value)
    assert decode_unsigned(data + rest, 0, 64) == (value, len(data))


@given(st.integers(-(2**63), 2**63 - 1), st.binary(max_size=3))
def test_signed_round_trip(value, rest):
    """A signed integer reads back, whatever follows it."""
    data = encode_signed(value)
    assert decode_signed(data + rest, 0, 64) == (value, len(data))


def signed(value):
    """Return the i64 of a bit pattern."""
    value &= MASK
    return value - 2**64 if value >> 63 else value


def rotate_left(a, b):
    """Return `a` rotated by `b` modulo 64 bits."""
    a, b = a & MASK, b & 63
    return a << b | a >> (64 - b)


# mnemonic: what it does to two signed integers; `signed` wraps the result.
INTEGER = {
    "i64.add": lambda a, b: a + b,
    "i64.sub": lambda a, b: a - b,
    "i64.mul": lambda a, b: a * b,
    "i64.and": lambda a, b: a & b,
    "i64.or": lambda a, b: a | b,
    "i64.xor": lambda a, b: a ^ b,
    "i64.shl": lambda a, b: a << (b & 63),
    "i64.shr_s": lambda a, b: a >> (b & 63),
    "i64.shr_u": lambda a, b: (a & MASK) >> (b & 63),
    "i64.rotl": rotate_left,
}
FLOAT = {
    "f64.add": lambda a, b: a + b,
    "f64.sub": lambda a, b: a - b,
    "f64.mul": lambda a, b: a * b,
    "f64.copysign": math.copysign,
}


def expressions(const, constants, operators, wrap):
    """Return a strategy of (instructions, value); parameter 0 is the constant 3."""
    leaves = constants.map(lambda value: ([(const, value)], value)) | st.just(
        ([("local.get", 0)], wrap(3))
    )

    def combine(children):
        return st.tuples(children, st.sampled_from(sorted(operators)), children).map(
            lambda parts: (
                [*parts[0][0], *parts[2][0], (parts[1],)],
                wrap(operators[parts[1]](parts[0][1], parts[2][1])),
            )
        )

    return st.recursive(leaves, combine, max_leaves=20)


INTEGERS = expressions("i64.const", st.integers(-(2**63), 2**63 - 1), INTEGER, signed)
FLOATS = expressions("f64.const", st.floats(allow_nan=False), FLOAT, float)


def module_of(type_, body):
    """Return a module with one function of one parameter and one result."""
    function = Function("f", [type_], [type_], body=body, local_names=["x"])
    return Module(functions=[function], exports=[Export("f", "func", "f")])


def run(module, argument):
    """Return what Wasmtime makes of a module's only function."""
    store = wasmtime.Store(ENGINE)
    loaded = wasmtime.Module(ENGINE, encode_module(module).data)
    return wasmtime.Instance(store, loaded, []).exports(store)["f"](store, argument)


@settings(max_examples=60, deadline=None)
@given(INTEGERS)
def test_integer_arithmetic_runs(expression):
    """Random integer arithmetic gives in Wasmtime what it gives in Python."""
    body, want = expression
    assert run(module_of("i64", body), 3) == want


@settings(max_examples=60, deadline=None)
@given(FLOATS)
def test_float_arithmetic_runs(expression):
    """Random float arithmetic gives in Wasmtime the bits that it gives in Python."""
    body, want = expression
    got = run(module_of("f64", body), 3.0)
    if math.isnan(want):
        assert math.isnan(got)
    else:
        assert struct.pack("<d", got) == struct.pack("<d", want)


@given(INTEGERS | FLOATS)
def test_text_assembles_to_the_encoding(expression):
    """Printed code assembles to the encoded bytes, names aside."""
    body, value = expression
    module = module_of("f64" if isinstance(value, float) else "i64", body)
    binary = encode_module(module, names=False).data
    assert wasmtime.wat2wasm(print_module(module)).startswith(binary)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.binary(), st.integers(0, 99)
)
def test_any_name_and_data_assemble(name, data, offset):
    """Whatever a function is called and data holds, the text assembles to the encoding."""
    module = runpy.run_path(str(SAMPLE))["MODULE"]
    module.functions.append(Function(f"f{name}"))
    module.exports.append(Export(name, "func", f"f{name}"))
    module.data[0].data, module.data[0].offset = data, offset
    binary = encode_module(module, names=False).data
    assert wasmtime.wat2wasm(print_module(module)).startswith(binary)


def codes(data):
    """Return the codes that reading gives; none when the data are fine."""
    try:
        read_summary(data)
    except MochiError as error:
        return {item.code for item in error.diagnostics}
    return set()


BINARY = encode_module(runpy.run_path(str(SAMPLE))["MODULE"]).data
# (offset, how many bytes go, which bytes come)
EDITS = st.lists(
    st.tuples(st.integers(0, len(BINARY)), st.integers(0, 4), st.binary(max_size=6)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300)
@given(EDITS)
def test_reader_survives_mutation(edits):
    """A module with bytes changed, added or removed is read or refused, never a crash."""
    data = BINARY
    for offset, gone, come in edits:
        data = data[:offset] + come + data[offset + gone :]
    assert codes(data) <= {"A010", "A011"}


@given(st.binary(max_size=60))
def test_lines_survive_garbage(garbage):
    """Any bytes of a section `mochi.lines` are read or refused."""
    try:
        table = read_lines(garbage)
    except MochiError as error:
        found = {item.code for item in error.diagnostics}
    else:
        found = set()
        assert all(place is None or place.file < len(table.files) for _, place in table.rows())
    assert found <= {"A011"}


@given(st.binary(max_size=200))
def test_reader_survives_garbage(garbage):
    """Any bytes behind a preamble, or alone, are read or refused."""
    for preamble in (b"", b"\0asm\1\0\0\0", b"\0asm\x0d\0\1\0"):
        assert codes(preamble + garbage) <= {"A010", "A011"}
