"""Tests of exports: what C can call of a library, and what it cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.driver import (
    CompileRequest,
    CompileResult,
    build_ir,
    compile_program,
)


def _compile(source: str, **sources: str) -> CompileResult:
    texts = {"a.mochi": source} | {f"{name}.mochi": text for name, text in sources.items()}
    return compile_program(CompileRequest("a.mochi", texts, native=True, exports=tuple(texts)))


def _exports(source: str, **sources: str) -> dict[str, Any]:
    result = _compile(source, **sources)
    assert not result.diagnostics
    rows = [json.loads(line[9:]) for line in result.clif.splitlines() if line[:9] == "; export "]
    return {row["name"]: (dict(row["params"]), row["result"]) for row in rows}


def test_exported_functions_are_listed() -> None:
    """With the types of their parameters and results; others stay inside."""
    source = (
        "export fun f(n: int, xs: list<float>): string { return str(n) }\n"
        "export fun g() { print(h()) }\n"
        "fun h(): int { return 1 }\n"
    )
    assert _exports(source) == {
        "f": ({"n": "int", "xs": "list<float>"}, "string"),
        "g": ({}, "void"),
    }


def test_struct_has_functions_for_its_fields() -> None:
    """Also one that is only a field of another; a field without a form in C stays hidden."""
    source = (
        "type Inner { n: int, by_name: map<string, int> }\n"
        "type Outer { inner: Inner }\n"
        "export fun f(outer: Outer) { print(outer.inner.n) }\n"
    )
    assert _exports(source) == {
        "f": ({"outer": "struct Outer"}, "void"),
        "Outer_new": ({"inner": "struct Inner"}, "struct Outer"),
        "Outer_release": ({"self": "struct Outer"}, "void"),
        "Outer_inner": ({"self": "struct Outer"}, "struct Inner"),
        "Inner_release": ({"self": "struct Inner"}, "void"),
        "Inner_n": ({"self": "struct Inner"}, "int"),
    }


def test_sources_of_a_library_are_exported_together() -> None:
    """None needs to import another."""
    found = _exports("export fun f() { print(1) }", b="export fun g() { print(2) }")
    assert list(found) == ["f", "g"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("export fun f(m: map<string, int>) { print(m) }", "parameter `m` of type `map<string"),
        ("export fun f(n: int): list<string> { return [] }", "the result, of type `list<string>`"),
        ("export fun f(g: fun(int): int): int { return g(1) }", "parameter `g` of type `fun(int)"),
        ("fun f(n: int): int { return n }", "nothing in `a.mochi` is exported"),
        (
            "type P { x: int }\nexport fun P_x(p: P): int { return p.x }",
            "two functions are called `P_x` in C",
        ),
        ("export fun free() { print(1) }", "`free` has another meaning in C"),
    ],
)
def test_function_that_c_cannot_call_is_refused(source: str, message: str) -> None:
    """At its declaration."""
    result = _compile(source)
    assert [item.code for item in result.diagnostics] == ["T094"]
    assert message in result.diagnostics[0].message
    assert result.clif == ""


def test_name_that_c_cannot_have_is_to_be_changed() -> None:
    """Its types are right: the help is about the name."""
    result = _compile("export fun free() { print(1) }")
    assert result.diagnostics[0].help == "give the function another name"


def test_export_takes_nothing_over() -> None:
    """It may be the only caller's in Mochi too: C keeps the references that it passes."""
    source = (
        "export fun extend(xs: list<int>): list<int> { return append(xs, 1) }\nprint(extend([2]))\n"
    )
    request = CompileRequest("a.mochi", {"a.mochi": source}, native=True, exports=("a.mochi",))
    program = build_ir(request, Diagnostics())
    assert program is not None
    assert program.functions["extend"].consumes == frozenset()
    assert program.functions["extend"].blocks
