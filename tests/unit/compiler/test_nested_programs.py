"""Deeply nested programs: what the parser lets through compiles; the rest is a diagnostic."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.driver import CompileRequest, build_ir, compile_program
from mochi_rules.compiler.syntax.limits import MAX_NESTING

# What stands before, what is repeated, what stands in the middle, and what closes it again.
NESTED = {
    "parentheses": ("print(", "(", "x", ")", ")"),
    "sums": ("print(", "1 * (2 + ", "x", ")", ")"),
    "conditions": ("print(", "(true && !", "b", ")", ")"),
    "calls": ("print(", "f(", "x", ")", ")"),
    "builtins": ("print(", "abs(", "x", ")", ")"),
    "methods": ("print(", "p.me(", "x", ")", ")"),
    "lists": ("print(", "[", "x", "]", ")"),
    "maps": ("print(", "{k: ", "x", "}", ")"),
    "structs": ("print(", "N {next: ", "n", "}", ")"),
    "indexes": ("print(", "xs[", "0", "]", ")"),
    "values by condition": ("print(", "if b { ", "x", " } else { 0 }", ")"),
    "arms": ("print(", "match x { 1 => ", "x", " _ => 0 }", ")"),
    "queries": ("print(", "from a in ", "xs", " select a", ")"),
    "function values": ("let g = ", "fun(y: int): any => ", "x", "", ""),
    "ifs": ("", "if b { ", "x = 1", " }", ""),
    "loops": ("", "while b { ", "b = false", " }", ""),
    "loops over lists": ("", "for i in xs { ", "x = 1", " }", ""),
    "declarations": ("", "fun g() { ", "x = 1", " }", ""),
    "list types": ("fun t(t: ", "list<", "int", ">", ") {}"),
    "function types": ("fun t(t: ", "fun(", "int", ")", ") {}"),
}
_BEFORE = """
type N {next: N?}
type P {v: int
  fun me(x: int): int { return x }
}
fun f(x: int): int { return x }
let p = P {v: 1}
let n = N {}
let xs = [0]
var x = 1
var b = true
"""


def nest(name: str, levels: int) -> str:
    """Return a program with so many levels of something."""
    begin, opening, middle, closing, end = NESTED[name]
    return f"{_BEFORE}{begin}{opening * levels}{middle}{closing * levels}{end}\n"


def codes(text: str) -> list[str]:
    """Return the codes of the diagnostics that compiling gives."""
    return [item.code for item in compile_program(CompileRequest("t", {"t": text})).diagnostics]


@pytest.mark.parametrize("name", NESTED)
def test_program_within_the_limit_compiles(name):
    """Whatever the parser lets through goes through every stage."""
    result = compile_program(CompileRequest("t", {"t": nest(name, MAX_NESTING - 3)}))
    assert result.wasm, result.diagnostics


@pytest.mark.parametrize("name", NESTED)
def test_program_beyond_the_limit_is_refused_by_every_verb(name):
    """Whether a program is checked or compiled, what is nested too deeply is one error."""
    text = nest(name, MAX_NESTING + 1)
    diagnostics = Diagnostics()
    assert build_ir(CompileRequest("t", {"t": text}), diagnostics) is None
    assert [item.code for item in diagnostics] == codes(text) == ["P080"]


def test_alias_of_a_container_may_contain_itself():
    """Where a type contains itself, it is any."""
    assert codes("type Tree = list<Tree>\nlet t: Tree = [[], [[]]]\nprint(len(t))") == []


def test_types_that_grow_by_inference_have_a_limit():
    """A type that no one wrote is limited like one that is written."""
    lines = [f"let a{i + 1} = [a{i}]" for i in range(MAX_NESTING + 10)]
    assert codes("let a0 = 1\n" + "\n".join(lines)) == ["T091"]


@pytest.mark.parametrize("part", ["list<A{0}>", "fun(A{0}): A{0}"])
def test_types_that_grow_by_aliases_have_a_limit(part):
    """Aliases of aliases make a type too deep or too large, and cost no time."""
    lines = [f"type A{i + 1} = {part.format(f'{i}')}" for i in range(MAX_NESTING + 10)]
    text = "\n".join(["type A0 = int", *lines, f"let x: A{len(lines)} = null"])
    assert codes(text) == ["T091"]
