"""A value of each type at each place with each declared type: it fits, or it is refused there."""

from __future__ import annotations

from itertools import product

import pytest

from mochi_rules.compiler.driver import CompileRequest, compile_program
from tests.unit.compiler.conftest import run_wasm

PRELUDE = "type P { x: int } type Shape = Round(radius: int) | Flat\n"
VALUES = {
    "1": "int",
    "1.5": "float",
    '"a"': "string",
    "true": "bool",
    "[1]": ["int"],
    '["a"]': ["string"],
    '[1, "a"]': ["int", "string"],
    "[[1]]": [["int"]],
    "{k: 1}": {"int"},
    '{k: "a"}': {"string"},
    "P { x: 1 }": "P",
    "Flat": "Shape",
    "fun(n: int): int => n": "fun(int): int",
    "nil": "null",
}
TYPES = {
    "int": "int",
    "float": "float",
    "string": "string",
    "bool": "bool",
    "list<int>": ["int"],
    "list<float>": ["float"],
    "list<list<int>>": [["int"]],
    "list<any>": ["any"],
    "map<string, int>": {"int"},
    "P": "P",
    "Shape": "Shape",
    "fun(int): int": "fun(int): int",
    "any": "any",
}
# `#` is a number of its own for each line, so that no two lines share a name.
PLACES = {
    "variable": "let v#: {type} = {value} print(v#)",
    "assignment": "var v#: {type} v# = {value} print(v#)",
    "other variable": "let w# = {value} let v#: {type} = w# print(v#)",
    "argument": "fun f#(p: {type}) {{ print(p) }} f#({value})",
    "argument of a value": "let f# = fun(p: {type}) {{ print(p) }} f#({value})",
    "result": "fun f#(): {type} {{ return {value} }} print(f#())",
    "result of a value": "let f# = fun(): {type} => {value} print(f#())",
    "field": "type T# {{ f: {type} }} print(T# {{ f: {value} }})",
    "assignment to a field": "type T# {{ f: {type} }} let v# = T# {{ }} v#.f = {value} print(v#)",
    "field of a variant": "type T# = A#(f: {type}) | B# print(A#({value}))",
    "argument of a method": "type T# {{ fun f(p: {type}) {{ print(p) }} }} (T# {{ }}).f({value})",
    "element": "let v#: list<{type}> = [{value}] print(v#)",
    "assignment to an element": 'var v#: map<string, {type}> = {{}} v#["k"] = {value} print(v#)',
    "assignment to a key": "var v#: map<string, {type}> = {{}} v#.k = {value} print(v#)",
    "appended": "var v#: list<{type}> = [] v# = append(v#, {value}) print(v#)",
    "value of a map": "let v#: map<string, {type}> = {{k: {value}}} print(v#)",
    "branch": "let v#: {type} = if 1 < 2 {{ {value} }} else {{ {value} }} print(v#)",
    "arm": "let v#: {type} = match 1 {{ 1 => {value} _ => {value} }} print(v#)",
    "row": "let v#: list<{type}> = from i in [1] select {value} print(v#)",
}  # fmt: skip

DYNAMIC = {"other variable"}  # a list of different elements is there what it is: one of any


def fits(value: object, declared: object) -> bool:
    """Whether a value may be where a type is declared; null may be anywhere."""
    if "any" in (declared, value) or value == "null":
        return True
    if isinstance(value, (list, set)) and type(value) is type(declared):
        return all(fits(one, other) for one in value for other in declared)
    if isinstance(declared, set):  # a record is a map
        return value in ("P", "Shape")
    return value == declared or (value, declared) == ("int", "float")


def program(place: str, *, right: bool) -> tuple[str, list[tuple[str, str]]]:
    """Return the lines of a place with the pairs that fit, or with the others, and these pairs."""
    pairs = [
        (value, declared)
        for value, declared in product(VALUES, TYPES)
        if fits(VALUES[value], TYPES[declared]) is right
        if not (place in DYNAMIC and value == '[1, "a"]')
    ]
    lines = [
        PLACES[place].replace("#", str(number)).format(type=declared, value=value)
        for number, (value, declared) in enumerate(pairs)
    ]
    return PRELUDE + "\n".join(lines), pairs


@pytest.mark.parametrize("place", PLACES)
def test_values_that_do_not_fit_are_refused(place) -> None:
    """Each line has one error at least, a mismatch of types."""
    text, pairs = program(place, right=False)
    errors = compile_program(CompileRequest("t.mochi", {"t.mochi": text})).diagnostics
    rows = {error.span.source.position(error.span.start)[0] - 2 for error in errors}
    assert {error.code for error in errors} == {"T008"}
    assert [pair for number, pair in enumerate(pairs) if number not in rows] == []


@pytest.mark.parametrize("place", PLACES)
def test_values_that_fit_compile_and_run(place, tmp_path) -> None:
    """Each line prints its value."""
    text, pairs = program(place, right=True)
    result = compile_program(CompileRequest("t.mochi", {"t.mochi": text}, optimize=0))
    assert result.diagnostics == ()
    outcome = run_wasm(result.wasm, tmp_path)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.count("\n") == len(pairs)
