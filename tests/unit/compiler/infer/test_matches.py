"""Which arms of a `match` are never reached, and which values it has no arm for."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.driver import CompileRequest, compile_program

PRELUDE = """\
type Tree = Node(left: Tree, value: int) | Leaf
let tree: Tree = Node(Node(Leaf, 1), 2)
let n = 3
"""


def warnings_of(match: str) -> list[tuple[str, str, str]]:
    """Return code, message and place of what a `match` is warned of."""
    text = f"{PRELUDE}let x = {match}"
    items = compile_program(CompileRequest("t.mochi", {"t.mochi": text})).diagnostics
    return [(item.code, item.message, item.span.text) for item in items]


@pytest.mark.parametrize(
    ("match", "arm"),
    [
        ('match n { 1 => "a" _ => "b" 2 => "c" }', "2"),
        ('match n { 1 => "a" 2 => "b" 1 => "c" _ => "d" }', "1"),
        ('match str(n) { "a" => 1 "a" => 2 _ => 3 }', '"a"'),
        ("match tree { Leaf => 1 Node => 2 Node(Leaf, v) => v }", "Node(Leaf, v)"),
        ("match tree { Node(a, b) => b Leaf => 1 Leaf => 2 }", "Leaf"),
    ],
)
def test_arm_after_one_that_matches_all_of_it(match, arm) -> None:
    """The first arm that matches is taken."""
    assert warnings_of(match) == [("T054", "this arm is never reached", arm)]


@pytest.mark.parametrize(
    ("match", "missing"),
    [
        ("match tree { Node(l, v) => v }", "`Leaf`"),
        ("match tree { Node(Leaf, v) => v Leaf => 1 }", "`Node`"),
        ("match tree { Node(Leaf, v) => v }", "`Node`, `Leaf`"),
    ],
)
def test_variant_without_an_arm(match, missing) -> None:
    """A variant has an arm where all its fields may be anything."""
    assert warnings_of(match) == [("T050", f"this `match` does not cover {missing}", "tree")]


@pytest.mark.parametrize(
    "match",
    [
        "match tree { Node(Leaf, v) => v Node(Node(a, b), v) => b Node(_, v) => 0 Leaf => 1 }",
        "match tree { Node => 1 Leaf => 2 }",
        "match n { 1 => 2 }",
        "match n == 3 { true => 1 false => 2 }",
        "match n { 1 => 2 _ => 3 }",
    ],
)
def test_match_without_a_warning(match) -> None:
    """Numbers need no `_`: without an arm, the result is null."""
    assert warnings_of(match) == []


def test_variant_whose_fields_do_not_match_gives_null(types) -> None:
    """The result of a match that has arms for some values of a variant may be null."""
    text = f"{PRELUDE}let x = match tree {{ Node(Leaf, v) => v Leaf => 7 }}"
    assert types(text)["x"] == "int?"
