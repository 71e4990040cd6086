"""Functions that declare a result and end without one: a warning, since interpreters run them."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Severity
from mochi_rules.compiler.driver import CompileRequest, compile_program


def diagnostics(text):
    """Return those of a program."""
    return compile_program(CompileRequest("a.mochi", {"a.mochi": text})).diagnostics


@pytest.mark.parametrize(
    ("text", "message", "help_"),
    [
        (
            "fun add(a: int, b: int): int { a + b }",
            "`add` never returns its `int`",
            "write `return a + b`",
        ),
        (
            "fun total(xs: list<int>): int { for x in xs { print(x) } }",
            "`total` never returns its `int`",
            "end it with a `return`",
        ),
        (
            "let shown = fun(x: int): string { print(x) }",
            "the function never returns its `string`",
            "write `return print(x)`",
        ),
        (
            "type P { x: int, fun twice(): int { x * 2 } }",
            "`twice` never returns its `int`",
            "write `return x * 2`",
        ),
        (
            "fun f(x: int): int { if x > 1 { return x } }",
            "`f` may end without returning its `int`",
            "end it with a `return`, or declare `int?`",
        ),
    ],
)
def test_missing_return_is_a_warning(text, message, help_) -> None:
    """The result is null where it is missing."""
    warning = next(found for found in diagnostics(text) if found.code == "T010")
    assert warning.severity is Severity.WARNING
    assert (warning.message, warning.help) == (message, help_)


@pytest.mark.parametrize(
    "text",
    [
        'fun later(): int { panic("later") }',
        "fun loop(): int { while true { } }",
        "fun show(x: int): void { print(x) }",
        "fun maybe(): int? { }",
    ],
)
def test_no_return_is_needed(text) -> None:
    """The function has no value to return, or never ends."""
    assert diagnostics(text) == ()


UNION = "type Shape = Circle(r: int) | Square(side: int)\n"


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("match s { Circle(r) => { return r } Square(a) => { return a } }", set()),
        ("match s { Circle(r) => { return r } Square(a) => { print(a) } }", {"T010"}),
        ("match s { Circle(1) => { return 1 } Square(a) => { return a } }", {"T010"}),
        ("match s { Circle(r) => { return r } }", {"T010"}),
    ],
)
def test_match_that_covers_a_union_returns(body: str, codes: set[str]) -> None:
    """If each of its arms does."""
    found = diagnostics(f"{UNION}fun size(s: Shape): int {{ {body} }}\nprint(size(Circle(3)))")
    assert {"T010"} & {each.code for each in found} == codes
