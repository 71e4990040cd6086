"""Functions are copied for the types that they are called with."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.driver import CompileRequest, build_ir
from mochi_rules.compiler.passes import BUILD

REVERSED = """
fun reversed(xs) {
  var out = []
  for x in xs { out = [x] + out }
  return out
}
"""
LAST = "fun last(xs, n: int) { if n == 0 { return xs[0] } return last(xs[1:], n - 1) }\n"
LARGER = "fun larger(a, b) { if a > b { return a } return b }\n"
HEAD = "fun head(xs) { return xs[0] }\n"
FILES = {"lib/lists.mochi": REVERSED.replace("fun", "export fun")}


def functions_of(text: str, level: int = 2, **files: str) -> set[str]:
    """Return the functions of a program, as `name(types)`; copies without their numbers."""
    diagnostics = Diagnostics()
    sources = {"x.mochi": text, **FILES, **files}
    program = build_ir(CompileRequest("x.mochi", sources, optimize=level), diagnostics, BUILD)
    assert program is not None, diagnostics.errors
    return {
        f"{name.partition('.')[0]}({', '.join(str(param.type) for param in function.params)})"
        for name, function in program.functions.items()
        if not name.startswith("main")
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            REVERSED + 'print(reversed([1]), reversed([2]), reversed(["a"]))',
            {"reversed(list<int>)", "reversed(list<string>)"},
        ),
        (
            'fun size(xs: list<any>): int { return len(xs) }\nprint(size([1]) + size(["a"]))',
            {"size(list<int>)", "size(list<string>)"},
        ),
        (
            LARGER + "print(larger(1, 2), larger(1.5, 2.5))",
            {"larger(int, int)", "larger(float, float)"},
        ),
        (
            LAST + 'print(last([1, 2], 1), last(["a", "b"], 1))',
            {"last(list<int>, int)", "last(list<string>, int)"},
        ),
        (
            HEAD + 'fun top(xs) { return head(xs) } print(top([1]), top(["a"]))',
            {"head(list<int>)", "head(list<string>)", "top(list<int>)", "top(list<string>)"},
        ),
        (
            'import "lib/lists" as lists\nprint(lists.reversed([1]), lists.reversed(["a"]))',
            {"reversed(list<int>)", "reversed(list<string>)"},
        ),
    ],
    ids=["list", "declared", "scalars", "recursive", "helper-of-helper", "module"],
)
def test_each_combination_of_types_has_one(text: str, expected: set[str]) -> None:
    """However many calls have it; what nobody calls any more is not built."""
    assert functions_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        REVERSED + 'var xs = [1, "a"]\nprint(reversed(xs), reversed(xs))',
        REVERSED + "print(reversed([]))",
    ],
    ids=["mixed", "unknown"],
)
def test_types_that_stay_vague_need_no_copy(text: str) -> None:
    """A list of anything is one whoever takes it."""
    assert functions_of(text) == {"reversed(list<any>)"}


def test_function_as_a_value_keeps_the_types_of_all_its_calls() -> None:
    """Who calls it is not known."""
    text = "fun same(x) { return x }\nlet f = same\nprint(f(1), f(true), same(1), same(2))"
    assert functions_of(text) >= {"same(any)", "same(int)"}


def test_error_with_some_types_keeps_the_function_whole() -> None:
    """It is one when that call runs; others are copied."""
    text = """
    fun less(x, really: bool) { if really { return x - 1 } return x }
    print(less(1, true), less("a", false))
    """ + REVERSED + 'print(reversed([1]), reversed(["a"]))'  # fmt: skip
    assert functions_of(text) == {
        "less(any, bool)", "reversed(list<int>)", "reversed(list<string>)"
    }  # fmt: skip


@pytest.mark.parametrize("level", [0, 1, 2])
def test_generic_function_is_right_for_declared_types(level: int) -> None:
    """Of one list, two declared types would be an error."""
    text = """
    fun turned<E>(xs: list<E>): list<E> { return xs }
    let a: list<int> = turned([1])
    let b: list<string> = turned(["a"])
    print(a, b)
    """
    assert functions_of(text, level) == {"turned(list<int>)", "turned(list<string>)"}


def test_error_that_copies_do_not_mend_is_reported_as_it_was() -> None:
    """Once, in the function that the user wrote."""
    diagnostics = Diagnostics()
    text = "fun same<E>(x: E): E { return x - true }\nprint(same(1), same(2))"
    request = CompileRequest("x.mochi", {"x.mochi": text})
    assert build_ir(request, diagnostics) is None
    assert [(item.code, item.span.start) for item in diagnostics if item.span] == [
        ("T020", text.index("x - true"))
    ]


def test_few_copies_are_made() -> None:
    """Beyond them, calls share the function as it is written."""
    calls = ("1", '"a"', "1.5", "true", "[1]", '["a"]', "[1.5]")
    text = "fun same(x) { return x }\n" + "".join(f"print(same({call}))\n" for call in calls)
    assert len(functions_of(text)) == 5


@pytest.mark.parametrize("level", [0, 1])
def test_lower_levels_have_the_same_copies(level: int) -> None:
    """Types decide what a program does, so they are the same at each level."""
    text = REVERSED + 'print(reversed([1]), reversed(["a"]))'
    assert functions_of(text, level) == functions_of(text)


def test_functions_that_call_each_other_are_copied_together() -> None:
    """A copy calls the copies that were made for it, around the ring too."""
    text = """
    fun even(xs) { if len(xs) == 0 { return true } return odd(xs[1:]) }
    fun odd(xs) { if len(xs) == 0 { return false } return even(xs[1:]) }
    print(even([1, 2]), even(["a"]))
    """
    assert functions_of(text) == {
        "even(list<int>)", "even(list<string>)", "odd(list<int>)", "odd(list<string>)"
    }  # fmt: skip
