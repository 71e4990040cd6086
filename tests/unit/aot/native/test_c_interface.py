"""Tests of headers for C against a golden, and of names that C cannot have."""

from __future__ import annotations

from pathlib import Path

from mochi_rules.aot.native.c_header import print_header
from mochi_rules.aot.native.c_interface import CFunction, c_names, c_prefix, read_interface
from mochi_rules.compiler.driver import CompileRequest, compile_program

SHAPES = Path(__file__).parents[3] / "golden" / "exports" / "shapes.mochi"


def test_header_is_its_golden(golden) -> None:
    """It says who owns what, and declares every function."""
    source = SHAPES.read_text(encoding="utf-8")
    name = SHAPES.name
    result = compile_program(CompileRequest(name, {name: source}, native=True, exports=(name,)))
    interface = read_interface("shapes", result.clif.encode())
    golden(SHAPES.with_suffix(".h"), print_header(interface))


def test_parameters_have_names_that_c_can_have() -> None:
    """No keywords of C and C++, and none that the size of another has."""
    params = tuple((name, "string") for name in ("double", "a", "a_size", "words"))
    assert c_names(CFunction(0, "f", params, "void")) == ["double_", "a", "a_size_", "words_"]


def test_parameters_are_no_macros() -> None:
    """Those of C's headers are in upper case."""
    params = tuple((name, "int") for name in ("INT32_MAX", "EOF", "Limit", "linux"))
    assert c_names(CFunction(0, "f", params, "void")) == ["INT32_MAX_", "EOF_", "Limit", "linux_"]


def test_prefix_is_a_name() -> None:
    """A library may be called as its file is."""
    assert [c_prefix(name) for name in ("shapes", "two-d", "2d")] == ["shapes", "two_d", "_2d"]
