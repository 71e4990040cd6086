"""What a program may use of the modules it imports."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.driver import CompileRequest, compile_program

TEXT = """
type Shape = Circle(radius: float) | Dot
export fun twice(s: string): string { return s + s }
fun helper(): int { return 1 }
let limit = 3
let apply = fun(n: int): int => n + limit
"""


def errors_of(body: str) -> list[tuple[str, str, str]]:
    """Return code, message and help of the errors in a program that imports TEXT."""
    sources = {"main.mochi": f'import "text"\n{body}\n', "text.mochi": TEXT}
    result = compile_program(CompileRequest("main.mochi", sources))
    return [(item.code, item.message, item.help) for item in result.diagnostics]


UNKNOWN = ("T003", "module `text.mochi` has no `twise`", "did you mean `twice`?")
PRIVATE = ("T003", "`helper` is not exported by `text.mochi`",
           "write `export fun helper(...)` there")  # fmt: skip


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('print(text.twise("a"))', UNKNOWN),
        ("let f = text.twise", UNKNOWN),
        ("print(text.helper())", PRIVATE),
        ("let f = text.helper", PRIVATE),
        ("print(text.heler())", ("T003", "module `text.mochi` has no `heler`", "")),
        ("print(text.limit())", ("T004", "type `int` is not callable", "")),
        ("let t = [text]", ("T097", "`text` is a module, not a value",
                            "use what it has, like `text.Circle`")),
        ("text.limit = 4", ("T024", "cannot assign to `limit` of the module `text`", "")),
        ("text = 4", ("T024", "cannot assign to the module `text`", "")),
    ],
)  # fmt: skip
def test_wrong_member_is_an_error(body, error):
    """A module is not a value; what it does not have or export is reported, called or not."""
    assert errors_of(body) == [error]


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ("let x: int = true", "T008"),
        ("let x = (", "P999"),
        ('import "main"', ""),
        ('import "nowhere"', "B021"),
        ("fun unused(): int { return true }", "T008"),
        ("fun unused(f: fun(int, int): int) { let g = f(1) }", "T090"),
    ],
)
def test_library_is_checked_in_full(other, code):
    """Sources that the first does not import, and functions that nothing calls; without a wasm."""
    sources = {"main.mochi": "", "other.mochi": other}
    result = compile_program(CompileRequest("main.mochi", sources, is_library=True))
    assert [item.code for item in result.diagnostics] == ([code] if code else [])
    assert result.wasm == b""


def test_members_work(run):
    """Functions, variables that hold functions, and variants are used through their module."""
    body = """import "text"
    let f = text.twice
    let shape = text.Circle(2.5)
    print(text.twice("a"), f("b"), text.apply(4), text.Dot == text.Dot)
    print(shape.radius)
    """
    outcome = run(body, others={"text.mochi": TEXT})
    assert (outcome.status, outcome.stdout) == (0, "aa bb 7 true\n2.5\n")


@pytest.mark.parametrize(
    "body",
    [
        'export fun f(p: P): int { return p.plus("a") }',
        'export fun f(h: fun(int): int): int { return h("a") }',
        'export fun f(p: P) { p.x = "a" }',
    ],
)
def test_errors_found_at_the_end_have_their_own_file(body):
    """What is learnt after the walk of a module is reported in that module, not in the last one."""
    module = "type P { x: int fun plus(n: int): int { return x + n } }\n" + body
    sources = {"main.mochi": 'import "lib"\nprint(1)\n', "lib.mochi": module}
    result = compile_program(CompileRequest("main.mochi", sources))
    assert [item.span.source.name for item in result.diagnostics] == ["lib.mochi"]
    assert [item.span.text for item in result.diagnostics] == ['"a"']
