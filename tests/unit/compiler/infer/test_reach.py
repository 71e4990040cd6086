"""Which statements control flow can reach the end of."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.infer.reach import always_leaves, returns_null, returns_value
from mochi_rules.compiler.names.modules import load_modules
from mochi_rules.compiler.names.resolve import resolve_program
from mochi_rules.compiler.syntax import ast


def body(text: str) -> list[ast.Stmt]:
    """Return the statements of a function."""
    diagnostics = Diagnostics()
    sources = {"t.mochi": f"fun f(c: bool) {{ {text} }}"}
    modules = load_modules(("t.mochi",), sources, diagnostics)
    resolve_program(modules, diagnostics)
    assert [*diagnostics.errors] == []
    [function] = modules[0].tree.body
    assert isinstance(function, ast.FunDecl)
    return function.body


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("return", True),
        ("print(1)", False),
        ('panic("no")', True),
        ("if c { return 1 } else { return 2 }", True),
        ("if c { return 1 }", False),
        ("if c { return 1 } else if !c { return 2 }", False),
        ('if c { return 1 } else { panic("no") }', True),
        ("while true { print(1) }", True),
        ("while true { if c { break } }", False),
        ("while true { for x in [1] { break } }", True),
        ("while c { return 1 }", False),
        ("for x in [1] { return x }", False),
    ],
)
def test_whether_the_end_is_reached(text, leaves) -> None:
    """A loop may run no times, unless its condition is `true` and nothing breaks it."""
    assert always_leaves(body(text)) == leaves


@pytest.mark.parametrize(
    ("text", "returns"),
    [
        ("return 1", True),
        ("return", False),
        ("if c { } else { return 1 }", True),
        ("while c { return 1 }", True),
        ("for x in [1] { if c { return x } }", True),
        ("fun g(): int { return 1 }", False),
        ("let g = fun() { return 1 }", False),
    ],
)
def test_whether_a_value_is_returned(text, returns) -> None:
    """By the function itself, not by one inside it."""
    assert returns_value(body(text)) == returns


@pytest.mark.parametrize(
    ("text", "returns"),
    [
        ("return 1", False),
        ("if c { return 1 }", True),
        ("if c { return } return 1", True),
        ("while true { return } return 1", True),
        ("fun g() { return } return 1", False),
    ],
)
def test_whether_null_is_returned(text, returns) -> None:
    """By a `return` without a value, or at the end."""
    assert returns_null(body(text)) == returns
