"""Written types: what they mean, and what is wrong with them."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.driver import CompileRequest, compile_program

PRELUDE = (
    "type P { x: int }\ntype Id = int\ntype Ids = list<Id>?\ntype Shape = Dot | Line { n: int }\n"
)


@pytest.mark.parametrize(
    ("written", "type_"),
    [
        ("int64", "int"), ("Id", "int"), ("Ids", "list<int>?"), ("list", "list<any>"),
        ("map<int, list<Id>>", "map<int, list<int>>"), ("map<bool, int>", "map<string, int>"),
        ("P?", "P?"), ("Shape", "Shape"), ("Line", "Line"), ("any", "any"),
        ("fun(int): P", "fun(int): P"), ("T", "any"), ("{x: int, y: int}", "map<string, any>"),
    ],
)  # fmt: skip
def test_written_types(types, written, type_) -> None:
    """Aliases stand for their types; keys are ints or text; one capital letter is anything."""
    text = f"{PRELUDE}var made: list<{written}> = []"
    assert types(text)["made"] == f"list<{type_}>"


def found(text: str) -> list[tuple[str, str, str]]:
    """Return severity, code and message of what is wrong with a program."""
    items = compile_program(CompileRequest("t.mochi", {"t.mochi": PRELUDE + text})).diagnostics
    return [(item.severity.name.lower(), item.code, item.message) for item in items]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("let x: Shap = Dot", ("warning", "T025", "unknown type: `Shap`")),
        ("let x: dict<string, int> = {}", ("warning", "T025", "unknown type: `dict`")),
        ("fun f(x: bigrat) { }", ("error", "T090", "type `bigrat` is not supported yet")),
        ("type A = B type B = A", ("error", "T092", "the type `A` is an alias of itself")),
    ],
)
def test_wrong_types(text, problem) -> None:
    """Annotations are hints, so an unknown name in one stops nothing."""
    assert problem in found(text)
