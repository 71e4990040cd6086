"""What a program may declare twice; tests/golden/errors/T095_declared_twice has what it may not."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Severity
from mochi_rules.compiler.driver import CompileRequest, compile_program


@pytest.mark.parametrize(
    "text",
    [
        "let x = 1 let x = 2",
        "let x = 1 fun f(x: int) { let x = 2 if x > 1 { let x = 3 } }",
        "fun f() { fun g() { } } fun g() { }",
        "if 1 < 2 { fun g() { } } else { fun g() { } }",
        "type Box = Box(value: int)",
        "type P { x: int } fun P(x: int): P { return P { x: x } }",
        "type T = N(a: int, b: int) | M let _ = match N(1, 2) { N(_, _) => 1 M => 2 }",
        'import "text" type Shape { side: int }',
    ],
)
def test_what_may_be_declared_again(text) -> None:
    """A variable in its scope, anything in another scope, and a variant named like its union."""
    sources = {"main.mochi": text, "text.mochi": "type Shape { radius: int }"}
    assert compile_program(CompileRequest("main.mochi", sources)).diagnostics == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fun f() { } fun f() { }", "function `f` is declared twice"),
        ("fun f() { fun g() { } fun g() { } }", "function `g` is declared twice"),
        ("type P { x: int } type P { y: int }", "type `P` is declared twice"),
        ("type A = X | Y type B = X | Z", "type `X` is declared twice"),
        ('import "a/text" import "text"', "module `text` is declared twice"),
    ],
)
def test_what_replaces_the_first_is_a_warning(text, message) -> None:
    """Interpreters run such a program."""
    sources = {"main.mochi": text, "text.mochi": "", "a/text.mochi": ""}
    [warning] = compile_program(CompileRequest("main.mochi", sources)).diagnostics
    assert (warning.code, warning.severity) == ("T095", Severity.WARNING)
    assert warning.message == message
