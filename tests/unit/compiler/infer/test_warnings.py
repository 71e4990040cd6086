"""Warnings of comparisons that say nothing, and of structs that are not whole."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.driver import CompileRequest, compile_program

PRELUDE = """\
type P { name: string, age: int, nick: string? }
type Shape = Round(radius: int) | Flat
let shape: Shape = Flat
let table = {a: 1}
"""


def found(text: str) -> list[tuple[str, str]]:
    """Return code and message of the warnings of a program."""
    items = compile_program(CompileRequest("t.mochi", {"t.mochi": PRELUDE + text})).diagnostics
    return [(item.code, item.message) for item in items]


@pytest.mark.parametrize(
    ("condition", "types"),
    [
        ('1 == "1"', "`int` and `string`"),
        ("[1] != {a: 1}", "`list<int>` and `map<string, int>`"),
        ("true == 1", "`bool` and `int`"),
    ],
)
def test_values_that_are_never_equal(condition, types) -> None:
    """Values of two types are not converted to be compared."""
    assert found(f"print({condition})") == [("T013", f"{types} are never equal")]


@pytest.mark.parametrize(
    "condition",
    ["1 == 1.0", "nil == 1", 'table["a"] == 2', "shape == Flat", "(1 as any) == true", "[] == [1]"],
)
def test_values_that_may_be_equal(condition) -> None:
    """Numbers compare by value, anything may be null, and `any` may be anything."""
    assert found(f"print({condition})") == []


@pytest.mark.parametrize(
    ("value", "warnings"),
    [
        ('P { name: "A" }', [("T053", "`P` without `age`")]),
        ("P { age: 1 }", [("T053", "`P` without `name`")]),
        ('P { name: "A", age: 1 }', []),
        ("P { }", []),
    ],
)
def test_struct_without_some_of_its_fields(value, warnings) -> None:
    """A field that may be null may be left out; a struct without any is filled later."""
    assert found(f"print({value})") == warnings
