"""The text of the IR: reading it is the inverse of printing it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.driver import CompileRequest, build_ir, runtime_library
from mochi_rules.compiler.ir.parse import parse_function
from mochi_rules.compiler.ir.print import print_function
from mochi_rules.compiler.ir.verify import verify_function
from mochi_rules.compiler.passes import BUILD, PASSES
from mochi_rules.compiler.passes.context import Context

PROGRAMS = [  # one in eight in the quick run
    pytest.param(path, marks=[pytest.mark.slow] if at % 8 != 2 else [])
    for at, path in enumerate(sorted((Path(__file__).parents[2] / "golden").glob("[ri]*/*.mochi")))
]

TEXT = """\
fun f(xs: list<int>, g: (fun(int, any): int?)?): int {
b0:
  v1: int = list.len xs
  jump b1(0, "a\\n\\"b\\" \\\\ \\x01\\xff")
b1(i: int, s: string):
  v2: bool = lt i, v1
  branch v2, b2, b3 likely
b2:
  v3: int = list.load xs, i
  x: float = call mean -1.5, null<map<string, int>?>, 4w, true, nan
  field.store [P 0] g, v3
  check.expect "x > 1" v2
  v4: int = add i, 1
  jump b1(v4, s)
b3:
  return i
}
"""


def test_text_is_read_back() -> None:
    """Types, constants, attributes, hints and forward references survive."""
    assert print_function(parse_function(TEXT)) == TEXT


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_function_of_a_program_is_read_back(path) -> None:
    """At every stage, printing what was read gives the same text, and it is as sound."""
    request = CompileRequest(path.name, {path.name: path.read_text(encoding="utf-8")})
    program = build_ir(request, Diagnostics(), BUILD)
    assert program is not None
    library = runtime_library(check_leaks=False, level=2)
    context = Context(program.functions, program.signatures, program, library)
    found = set(map(print_function, program.functions.values()))
    for row in PASSES:
        row.run(context)
        found |= set(map(print_function, program.functions.values()))
    for text in found:
        read = parse_function(text)
        assert print_function(read) == text
        assert verify_function(read) == []


def test_runtime_library_is_read_back() -> None:
    """The low-level operations have a text as well."""
    library = runtime_library(check_leaks=True)
    for name in library.entries:
        text = print_function(library.function(name))
        assert print_function(parse_function(text)) == text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lt i, v1", "lt i, v9", "never defined: v9"),
        ("v4: int = add", "v3: int = add", "line 13: v3 is defined twice"),
        ("b1(i: int,", "b1(i: ,", "line 5: a type expected at `, s: string):`"),
        ("jump b1(v4", "jump b1(", "line 14: a value expected at `, s)`"),
        ("lt i, v1", "lt i; v1", "line 6: `, ` expected at ` v1`"),
    ],
)
def test_a_mistake_is_reported_with_its_line(old, new, message) -> None:
    """What is no IR is a ValueError that says what was expected where."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_function(TEXT.replace(old, new))
