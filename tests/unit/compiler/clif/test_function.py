"""Tests of one function in CLIF: operands become values, locals too, and structure blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.compiler.clif.module import print_clif
from mochi_rules.compiler.driver import CompileRequest, compile_program, shared_library
from mochi_rules.wasm.module import (
    DataSegment,
    ElementSegment,
    Function,
    Global,
    Import,
    Module,
)
from mochi_rules.wasm.types import FuncType, GlobalType, MemoryType, TableType

if TYPE_CHECKING:
    from mochi_rules.wasm.module import Instruction

_IMPORT = Import("m", "fd", FuncType(("i32", "i64"), ("i32",)), "wasi_fd")


def _module(*functions: Function) -> Module:
    return Module(
        imports=[_IMPORT],
        functions=[Function("_start"), *functions],
        memory=MemoryType(2),
        globals=[Global("end", GlobalType("i32", mutable=True), ("i32.const", 1200))],
        table=TableType(2),
        elements=[ElementSegment(1, [functions[0].name])],
        data=[DataSegment("static", b"\x01\x02", 1024)],
    )


def _translate(
    body: list[Instruction], params: str = "", results: str = "", locals_: str = ""
) -> str:
    """Return the blocks of a function `f`, whose values and blocks are numbered as they come."""
    function = Function("f", params.split(), results.split(), locals_.split(), body)
    text = print_clif(_module(function), ["a.mochi"], [], {})
    found = re.search(r"^function %f\(.*?\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def _get(*locals_: int) -> list[Instruction]:
    return [("local.get", number) for number in locals_]


def test_operands_become_values() -> None:
    """An instruction takes what the stack has, in the order in which it was pushed."""
    text = _translate([*_get(0, 1), ("i64.sub",), ("return",)], "i64 i64", "i64")
    assert "v3 = isub v0, v1" in text
    assert "return v3" in text


def test_comparison_is_widened_only_as_a_number() -> None:
    """A branch takes the comparison as it is; an addition takes 0 or 1."""
    compare: list[Instruction] = [*_get(0, 0), ("i64.lt_s",)]
    branch = [*compare, ("if", None), ("unreachable",), ("end",), ("i32.const", 1), ("return",)]
    assert "uextend" not in _translate(branch, "i64", "i32")
    added = [*compare, ("i32.const", 1), ("i32.add",), ("return",)]
    assert "uextend.i32" in _translate(added, "i64", "i32")


def test_local_that_is_never_set_is_zero() -> None:
    """Its value is made where the function begins."""
    text = _translate([*_get(0), ("return",)], "", "f64", "f64")
    assert _lines(text)[1].endswith("f64const 0x0.0p0")


def test_variable_of_a_loop_is_a_parameter_of_its_block() -> None:
    """The edge from before passes the first value, the edge back the next."""
    body: list[Instruction] = [
        ("loop", None), *_get(0), ("i64.const", 1), ("i64.sub",), ("local.tee", 0),
        ("i64.eqz",), ("i32.eqz",), ("br_if", 0), ("end",), *_get(0), ("return",),
    ]  # fmt: skip
    text = _translate(body, "i64", "i64")
    (head,) = re.findall(r"jump (block\d+)\(v0\)", text)
    (before,) = re.findall(rf"^{head}\((v\d+): i64\):", text, re.MULTILINE)
    (after,) = re.findall(rf"(v\d+) = isub {before}, ", text)
    assert f"brif v8, {head}({after}), " in text


def test_variable_that_nobody_reads_is_not_passed() -> None:
    """A block has parameters only for what is used behind it."""
    body: list[Instruction] = [
        *_get(0), ("if", None), ("i64.const", 7), ("local.set", 1), ("end",), ("return",),
    ]  # fmt: skip
    assert not re.search(r"^block\d+\(v[1-9]", _translate(body, "i32 i64"), re.MULTILINE)


def test_result_of_an_if_comes_from_both_arms() -> None:
    """The block behind takes it as its parameter, and what is below on the stack stays."""
    body: list[Instruction] = [
        ("i64.const", 5), *_get(0), ("if", "i64"), ("i64.const", 1), ("else",), ("i64.const", 2),
        ("end",), ("i64.add",), ("return",),
    ]  # fmt: skip
    text = _translate(body, "i32", "i64")
    five, one, two = re.findall(r"(v\d+) = iconst\.i64 [512]$", text, re.MULTILINE)
    (block,) = re.findall(rf"jump (block\d+)\({one}\)", text)
    assert f"jump {block}({two})" in text
    (param,) = re.findall(rf"^{block}\((v\d+): i64\):", text, re.MULTILINE)
    assert f"iadd {five}, {param}" in text


def test_unreachable_code_is_left_out() -> None:
    """Behind a branch nothing arrives, whatever is nested there."""
    body: list[Instruction] = [
        ("block", None), ("br", 0), ("block", None), ("i32.const", 3), ("if", None), ("else",),
        ("end",), ("end",), ("end",), ("return",),
    ]  # fmt: skip
    assert "iconst" not in _translate(body)


def test_block_that_stops_the_program_is_cold() -> None:
    """Cranelift lays it behind the others."""
    body: list[Instruction] = [*_get(0), ("if", None), ("unreachable",), ("end",), ("return",)]
    text = _translate(body, "i32")
    assert re.search(r"^block\d+ cold:\n    trap user1$", text, re.MULTILINE)


def test_address_is_computed_once_in_a_block() -> None:
    """Two accesses to one object share it; the memory's own address is loaded at the start."""
    body: list[Instruction] = [
        *_get(0, 0), ("i32.load", 2, 8), ("i32.store", 2, 12), ("return",),
    ]  # fmt: skip
    text = _translate(body, "i32")
    assert text.count("uextend.i64") == 1
    assert re.search(r"load\.i32 little notrap v\d+\+8$", text, re.MULTILINE)
    assert text.count("load.i64 notrap aligned readonly") == 1


def test_host_is_called_with_words_of_64_bits() -> None:
    """What 32 bits are passed as differs between machines."""
    body: list[Instruction] = [*_get(0, 1), ("call", "wasi_fd"), ("return",)]
    text = _translate(body, "i32 i64", "i32")
    assert "fn0 = colocated %mochi_wasi_fd(i64, i64) -> i64" in text
    assert re.search(r"return (v\d+)$", text, re.MULTILINE)
    assert "ireduce.i32" in text


def test_locations_are_shown_and_carried() -> None:
    """A comment shows the line, and instructions have file and line in one number."""
    body: list[Instruction] = [("loc", 0, 7), ("i32.const", 1), ("return",)]
    text = _translate(body, "", "i32")
    assert "; a.mochi:7" in text
    assert re.search(r"@7 v\d+ = iconst\.i32 1$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        (("i32.const", -1), "iconst.i32 4294967295"),
        (("i64.const", 2**64 - 1), "iconst.i64 -1"),
        (("f64.const", 0.1), "f64const 0x1.999999999999ap-4"),
        (("f64.const", 1e300), "f64const 0x1.7e43c8800759cp996"),
        (("f64.const", -0.0), "f64const -0x0.0p0"),
        (("f64.const", float("inf")), "f64const +Inf"),
        (("f64.const", float("nan")), "f64const +NaN"),
    ],
)
def test_constants_are_written_as_cranelift_reads_them(instruction: Any, text: str) -> None:
    """Words as unsigned numbers, and floats as hexadecimal ones."""
    assert text in _translate([instruction, ("drop",), ("return",)])


def test_module_has_data_variables_and_table() -> None:
    """Directives carry them: bytes are little-endian, and a table has addresses of functions."""
    text = print_clif(_module(Function("f.g", body=[("return",)])), ["a.mochi"], [], {})
    assert ";! data %mochi_static 16 read 0102" in text
    assert ";! data %end_variable 8 write b0040000" in text
    assert f";! data %mochi_table 16 read {'00' * 16}\n;! address %mochi_table 8 %f_g" in text
    assert ";! symbol %f_g f.g" in text
    assert ";! export %mochi_program" in text


def test_names_of_a_program_do_not_meet_those_of_the_host() -> None:
    """A function `memmove` of a program is another than the one that moves its memory."""
    functions = (Function("memmove", body=[("return",)]), Function("a_b", body=[("return",)]),
                 Function("a.b", body=[("call", "memmove"), ("return",)]))  # fmt: skip
    text = print_clif(_module(*functions), ["a.mochi"], [], {})
    assert "function %memmove_2() fast" in text
    assert "colocated %memmove_2() fast" in text
    assert ";! symbol %a_b_2 a.b.2" in text


_XOR = ("i64.xor",)
_SUM: dict[str, list[Any]] = {
    "add": [*_get(0, 2), _XOR, *_get(1, 2), _XOR],
    "sub": [*_get(0, 2), _XOR, *_get(1, 0), _XOR],
}


@pytest.mark.parametrize("name", _SUM)
def test_comparison_of_signs_becomes_an_operation_that_reports_overflow(name: str) -> None:
    """What WebAssembly compares to find it is not asked for."""
    body: list[Instruction] = [
        *_get(0, 1), (f"i64.{name}",), ("local.set", 2), *_SUM[name], ("i64.and",),
        ("i64.const", 0), ("i64.lt_s",), ("if", None), ("unreachable",), ("end",), *_get(2),
        ("return",),
    ]  # fmt: skip
    text = _translate(body, "i64 i64", "i64", "i64")
    (overflow,) = re.findall(rf"v\d+, (v\d+) = s{name}_overflow v0, v1$", text, re.MULTILINE)
    assert f"brif {overflow}, " in text


def test_other_comparison_of_signs_stays() -> None:
    """It is another question: here, signs of an operand and of another sum."""
    body: list[Instruction] = [
        *_get(0, 1), ("i64.add",), ("local.set", 2), *_SUM["sub"], ("i64.and",),
        ("i64.const", 0), ("i64.lt_s",), ("return",),
    ]  # fmt: skip
    assert "overflow" not in _translate(body, "i64 i64", "i32", "i64")


def test_product_is_looked_at_closer_where_it_overflows() -> None:
    """WebAssembly asks whether an operand is long, which is true more often."""
    shifted: list[Instruction] = [
        *_get(0), ("i64.const", 2**31), ("i64.add",), *_get(1), ("i64.const", 2**31),
        ("i64.add",), ("i64.or",), ("i64.const", 2**32), ("i64.ge_u",),
    ]  # fmt: skip
    natural: list[Instruction] = [
        *_get(0, 1), ("i64.or",), ("i64.const", 2**31), ("i64.ge_u",),
    ]  # fmt: skip
    for question in (shifted, natural):
        body: list[Instruction] = [
            *_get(0, 1), ("i64.mul",), ("local.set", 2), *question, ("return",),
        ]  # fmt: skip
        text = _translate(body, "i64 i64", "i32", "i64")
        assert re.search(r"v\d+, v\d+ = smul_overflow v0, v1$", text, re.MULTILINE)


def test_what_was_translated_before_is_the_same_again() -> None:
    """A function of the library is translated once in a process, whatever the program."""
    sources = [
        'print("a", 1 + 2)\n',
        "fun memory(n: int): int {\n  return n\n}\nprint(memory(1))\n",
    ]
    first = [compile_program(_request(text)).clif for text in sources]
    shared_library.cache_clear()
    again = [compile_program(_request(text)).clif for text in reversed(sources)]
    assert first == again[::-1]


def _request(text: str) -> CompileRequest:
    return CompileRequest("a.mochi", {"a.mochi": text}, native=True)
