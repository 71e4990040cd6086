"""The table of instructions against Wasmtime."""

from __future__ import annotations

import pytest
import wasmtime

from mochi_rules.wasm.encode import encode_module
from mochi_rules.wasm.module import DataSegment, ElementSegment, Function, Global, Module
from mochi_rules.wasm.opcodes import OPCODES, Immediate, natural_alignment
from mochi_rules.wasm.types import FuncType, GlobalType, MemoryType, TableType
from mochi_rules.wasm.wat import print_module

SAMPLES = {
    Immediate.BLOCK_TYPE: FuncType(("i32",), ("i64", "f64")),
    Immediate.LABEL: 0,
    Immediate.LABELS: (0, 0),
    Immediate.FUNCTION: "f",
    Immediate.FUNC_TYPE: FuncType(("i64",), ("i32", "f64")),
    Immediate.LOCAL: 1,
    Immediate.GLOBAL: "g",
    Immediate.DATA: "d",
    Immediate.ALIGN: 0,
    Immediate.OFFSET: 300,
    Immediate.LANE: 1,
    Immediate.I32: -5,
    Immediate.I64: 2**40,
    Immediate.F32: 0.1,
    Immediate.F64: -0.0,
    Immediate.V128: bytes(range(16)),
}
MEMORY = sorted(name for name, op in OPCODES.items() if Immediate.ALIGN in op.immediates)


def sample(mnemonic):
    """Return the instructions of a function that has this one."""
    instruction = (mnemonic, *(SAMPLES[kind] for kind in OPCODES[mnemonic].immediates))
    if mnemonic in ("block", "loop", "if"):
        return [instruction, ("end",)]
    if mnemonic in ("else", "end"):
        return [("if", None), *([("else",)] if mnemonic == "else" else []), ("end",)]
    return [instruction]


def module_of(body):
    """Return a module with something for every immediate to refer to."""
    return Module(
        functions=[Function("f", ["i64"], [], ["i32", "i32"], body)],
        table=TableType(1),
        memory=MemoryType(1),
        globals=[Global("g", GlobalType("i32", mutable=True), ("i32.const", 0))],
        elements=[ElementSegment(0, ["f"])],
        data=[DataSegment("d", b"")],
    )


@pytest.mark.parametrize("mnemonic", OPCODES)
def test_instruction_is_as_assembled(mnemonic):
    """The assembler makes of the printed instruction what the encoder makes of it."""
    module = module_of(sample(mnemonic))
    binary = encode_module(module, names=False).data
    assert wasmtime.wat2wasm(print_module(module)).startswith(binary)


@pytest.mark.parametrize("mnemonic", MEMORY)
def test_natural_alignment_is_the_largest_valid(mnemonic):
    """Wasmtime accepts the natural alignment of a load or store, and nothing above."""
    engine = wasmtime.Engine()
    for excess in (0, 1):
        lanes = [0] * OPCODES[mnemonic].immediates.count(Immediate.LANE)
        access = (mnemonic, natural_alignment(mnemonic) + excess, 0, *lanes)
        module = module_of([("unreachable",), access, ("unreachable",)])
        binary = encode_module(module).data
        if excess:
            with pytest.raises(wasmtime.WasmtimeError, match="alignment"):
                wasmtime.Module.validate(engine, binary)
        else:
            wasmtime.Module.validate(engine, binary)


def test_natural_alignment_refuses_arithmetic():
    """Only loads and stores have an alignment."""
    with pytest.raises(AssertionError, match=r"i64\.add"):
        natural_alignment("i64.add")


def test_codes_differ():
    """No two instructions have the same code."""
    assert len({opcode.code for opcode in OPCODES.values()}) == len(OPCODES)
