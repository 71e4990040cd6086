"""Long programs: what is repeated or chained goes through every stage without recursion.

Each program has more links than there is room for calls, so that any stage that calls itself for
each link or repetition fails.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.base.span import Source
from mochi_rules.compiler import driver
from mochi_rules.compiler.driver import CompileRequest, build_ir, compile_program
from mochi_rules.compiler.ir.print import print_program
from mochi_rules.compiler.ir.verify import verify_program
from mochi_rules.compiler.syntax.ast_print import print_module
from mochi_rules.compiler.syntax.parser import parse_module
from mochi_rules.wasm.wat import print_module as print_wat

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM = 250  # calls
LINKS = 300
MANY = 5_000

# Expressions: what stands before, the first operand, and what is chained to it.
CHAINS = {
    "sums": ("", "x", " + x"),
    "sums of products": ("", "x", " + x * 2"),
    "constants": ("", "1", " - 1"),
    "floats": ("let f = 0.5", "f", " / f"),
    "strings": ('let s = "a"', "s", " + s"),
    "values of any type": ('let a = [1, "a"][0]', "a", " + a"),
    "conjunctions": ("", "b", " && b"),
    "disjunctions": ("", "b", " || b"),
    "both": ("", "b", " || b && b"),
    "comparisons": ("", "b", " == b"),
    "memberships": ("", "1", " in [true]"),
    "set operators": ("let xs = [1]", "xs", " union xs"),
    "defaults": ('let m = {"a": 1}["a"]', "m", " ?? m"),
    "casts": ("", "x", " as float as int"),
    "indexes": ('let s = "a"', "s", "[0]"),
    "slices": ("let xs = [1]", "xs", "[0:1]"),
    "fields": ("type N {next: N?}\nlet n = N {}", "n", "?.next"),
    "fields of anything": ("let a: any = {}", "a", "?.f"),
    "methods": ("type N {v: int\nfun me(): N { return N {v: v} }}\nlet n = N {v: 1}", "n", ".me()"),
    "calls": ("fun f(): any { return f }\nlet g: any = f", "g", "()"),
}
PREFIXES = {"negations": ("x", "- "), "complements": ("b", "!")}

# Programs: what stands before, what is repeated with its number, and what stands behind.
REPEATED = {
    "assignments": ("var a = 1", "a = a + x", "print(a)"),
    "growing strings": ('var s = ""', 's = s + "a"', "print(s)"),
    "declarations": ("let v0 = x", "let v{next} = v{i} + 1", ""),
    "else if": ("if x == 0 {{ }}", "else if x == {i} {{ print({i}) }}", "else {{ }}"),
    "else if that returns": (
        "fun f(n: int): int {{ if n == 0 {{ return 0 }}", "else if n == {i} {{ return {i} }}",
        "else {{ return 1 }} }}\nprint(f(1))"),
    "else if with values": (
        "print(if x == 0 {{ 0 }}", "else if x == {i} {{ {i} }}", "else {{ 9 }})"),
    "arms": ("print(match x {{", "{i} => {i}", "_ => 0 }})"),
    "arms with blocks": ("match x {{", "{i} => {{ print({i}) }}", "_ => {{}} }}"),
    "calls": ("fun f(n: int) {{ print(n) }}", "f({i})", ""),
    "elements": ("print(len([", "{i},", "0]))"),
    "entries": ("print(len({{", "k{i}: {i},", "}}))"),
    "functions": ("fun f0(): int {{ return 1 }}", "fun f{next}(): int {{ return f{i}() }}",
                  "print(f{last}())"),
    "types": ("", "type S{i} {{ a: int }}", ""),
    "aliases": ("type A0 = int", "type A{next} = A{i}", "let y: A{last} = 1"),
    "variants": ("type U = None", "| V{i}(n: int)", "print(V1(1))"),
    "tests": ("", 'test "t{i}" {{ expect x == 1 }}', ""),
}  # fmt: skip
_BEFORE = "var x = 1\nvar b = true\nfor i in 0..1 { x = x - i  b = !b }\n"


def chain(name: str, count: int) -> str:
    """Return a program with a chain of so many links."""
    if name in PREFIXES:
        operand, prefix = PREFIXES[name]
        return f"{_BEFORE}print({prefix * count}{operand})"
    before, operand, link = CHAINS[name]
    return f"{_BEFORE}{before}\nprint({operand}{link * count})"


def repetition(name: str, count: int) -> str:
    """Return a program with so many repetitions of something."""
    begin, middle, end = REPEATED[name]
    lines = [begin.format(), *(middle.format(i=i, next=i + 1) for i in range(count))]
    return _BEFORE + "\n".join([*lines, end.format(last=count)])


PROGRAMS: dict[str, Callable[[int], str]] = {
    **{f"chain of {name}": lambda n, name=name: chain(name, n) for name in (*CHAINS, *PREFIXES)},
    **{name: lambda n, name=name: repetition(name, n) for name in REPEATED},
}


def go_through_every_stage(text: str) -> None:
    """Compile and print a program in every form; it must be right."""
    diagnostics = Diagnostics()
    assert print_module(parse_module(Source("t", text), diagnostics))
    request = CompileRequest("t", {"t": text})
    program = build_ir(request, diagnostics)
    assert program is not None, diagnostics.errors
    assert print_program(program)
    assert verify_program(program, counted=True) == []
    result = compile_program(request)
    assert result.module is not None
    assert print_wat(result.module)


def some_are_slow(names):
    """Mark all but every third: they take their time together."""
    return [
        name if i % 3 == 0 else pytest.param(name, marks=pytest.mark.slow)
        for i, name in enumerate(names)
    ]


@pytest.fixture
def _little_room(monkeypatch):
    depth, frame = 0, sys._getframe()
    while frame := frame.f_back:
        depth += 1
    monkeypatch.setattr(driver, "RECURSION_LIMIT", 0)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + ROOM)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("_little_room")
@pytest.mark.parametrize("name", some_are_slow(PROGRAMS))
def test_no_stage_recurses_along_a_program(name):
    """A long program needs no deeper stack than a short one."""
    go_through_every_stage(PROGRAMS[name](LINKS))


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_very_long_program_compiles(name):
    """Programs of thousands of links or repetitions compile."""
    result = compile_program(CompileRequest("t", {"t": PROGRAMS[name](MANY)}))
    assert result.wasm, result.diagnostics
