"""The types that inference finds for the variables of small programs."""

from __future__ import annotations

import pytest

PRELUDE = """\
type P { name: string, age: int }
type Shape = Dot | Circle { radius: float }
let ps = [P { name: "a", age: 1 }]
let m = {"a": 1}
"""


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("3", "int"),
        ("nil", "any"),
        ("[1, 2]", "list<int>"),
        ("[1, 2.5]", "list<any>"),
        ("[]", "list<any>"),
        ("{1: true}", "map<int, bool>"),
        ('{1: 1, "a": 2}', "map<string, int>"),
        ('P { name: "b", age: 2 }', "P"),
        ("Circle { radius: 1.5 }", "Circle"),
        ("fun(x: int): string => str(x)", "fun(int): string"),
    ],
)
def test_literals(types, value, type_) -> None:
    """A container is of what stands in it; of several kinds, it is of any."""
    assert types(f"{PRELUDE}let x = {value}")["x"] == type_


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("1 + 2", "int"),
        ("1 + 2.5", "float"),
        ("1 / 2", "int"),
        ('"a" + 1', "string"),
        ("[1] + [2]", "list<int>"),
        ("1 < 2", "bool"),
        ("[1] union [2]", "list<int>"),
        ("m as any", "any"),
        ("-2.5", "float"),
        ("if 1 < 2 { 1 } else { nil }", "int?"),
        ("match 1 { 1 => 2.5 _ => 0.5 }", "float"),
        ("match 1 { 1 => 2.5 }", "float?"),
        ('m["a"] ?? 0', "int"),
    ],
)
def test_operators(types, value, type_) -> None:
    """Numbers meet as in Mochi; `if` and `match` have the type of their branches."""
    assert types(f"{PRELUDE}let x = {value}")["x"] == type_


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("ps[0]", "P"),
        ("ps[0:1]", "list<P>"),
        ("ps[0].age", "int"),
        ('m["a"]', "int?"),
        ("m.a", "int?"),
        ('"abc"[0]', "string"),
        ("first(ps)", "P?"),
        ("keys(m)", "list<string>"),
        ("values(m)", "list<int>"),
        ("append(nil, 1)", "list<int>"),
        ("sum([1.5])", "float"),
        ("max(1, 2)", "int"),
        ("reduce([1], fun(a: string, b: int): string => a + str(b), nil)", "string?"),
        ('m.get("a", 0)', "int?"),
    ],
)  # fmt: skip
def test_elements_and_functions_of_containers(types, value, type_) -> None:
    """What may be missing in a map is perhaps null; an element of a list is there."""
    assert types(f"{PRELUDE}let x = {value}")["x"] == type_


@pytest.mark.parametrize(
    ("query", "type_"),
    [
        ("from p in ps select p.age", "list<int>"),
        ("from p in ps select sum(p.age)", "int"),
        ("from k in m select k", "list<string>"),
        ('from c in "abc" select c', "list<string>"),
        ("from p in ps group by p.name into g select g.key", "list<string>"),
        ("from p in ps group by p.name into g select g.items", "list<list<P>>"),
        ("from p in ps left join q in ps on p.age == q.age select q", "list<P?>"),
        ("from p in ps right join q in ps on p.age == q.age select p", "list<P?>"),
    ],
)
def test_queries(types, query, type_) -> None:
    """A query is a list; its aggregate is a scalar; a row without a match has null."""
    assert types(f"{PRELUDE}let x = {query}")["x"] == type_


@pytest.mark.parametrize(
    ("declaration", "type_"),
    [
        ("let x: float = 1", "float"),
        ("let x: list<float> = [1]", "list<float>"),
        ("let x: int? = nil", "int?"),
        ("var x = 1 x = nil", "int?"),
        ('var x = 1 x = "a"', "any"),
        ('let y = [1, "a"] let x: list<int> = y', "list<any>"),
        ("let x: Shape = Dot", "Shape"),
        ('var x = [] x = append(x, "a")', "list<string>"),
        ("var x = {} x[1] = 2.5", "map<int, float>"),
        ("fun f(a, b) { return a } let x = f(1, 2)", "int"),
        ('fun f(a) { return a } let x = f(1) f("s")', "any"),
        ("fun f(a: int, b: int): int { return a + b } let x = f(1)", "fun(int): int"),
        ("fun f(n: int) { if n > 0 { return n } } let x = f(1)", "int?"),
    ],
)
def test_variables(types, declaration, type_) -> None:
    """A variable holds all that is assigned to it; a function is of all its calls."""
    assert types(PRELUDE + declaration)["x"] == type_
