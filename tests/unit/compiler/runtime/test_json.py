"""JSON of the runtime library, against Python's."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from values import BASICS, VALUES, IntMap, Struct, Typed, build

from mochi_rules.compiler.lower import object_layout as layout

RUNTIME = (*BASICS, "json_print", "json_text")


def text(instance, value):
    """Return the compact JSON of a value; nothing may leak."""
    word = build(instance, value)
    result = instance.json_text(word)
    found = instance.text(result)
    instance.release(word)
    instance.release(result)
    assert instance.live == 0
    return found


def as_floats(value):
    """Return a value with all numbers as floats, which JSON does not tell from ints."""
    if isinstance(value, list):
        return list(map(as_floats, value))
    if isinstance(value, dict):
        return {key: as_floats(item) for key, item in value.items()}
    return float(value) if type(value) is int else value


@given(value=VALUES.filter(lambda value: "inf" not in repr(value)))
def test_json_reads_back(shared, value) -> None:
    """What is written is what Python reads, with keys in order."""
    found = text(shared(), value)
    assert as_floats(json.loads(found)) == as_floats(value)


@given(value=VALUES)
def test_indented_json_is_the_same(shared, value) -> None:
    """Lines and spaces are where Python has them."""
    instance = shared()
    before = len(instance.printed())
    word = build(instance, value)
    instance.json_print(word)
    instance.release(word)
    loaded = json.loads(text(instance, value))
    wanted = json.dumps(loaded, indent=2, ensure_ascii=False)
    printed = instance.printed()[before:]
    assert json.loads(printed) == loaded
    assert [line[: len(line) - len(line.lstrip(" "))] for line in printed.split("\n")[:-1]] == [
        line[: len(line) - len(line.lstrip(" "))] for line in wanted.split("\n")
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"), (True, "true"), (-5, "-5"), (2**53 + 1, str(2**53 + 1)), (3.0, "3"),
        (1e21, "1e+21"), (1e-7, "1e-7"), (0.00001, "0.00001"), (-0.0, "-0"), ([], "[]"), ({}, "{}"),
        ("<a&b>", '"\\u003ca\\u0026b\\u003e"'), ("\u2028\u2029", '"\\u2028\\u2029"'),
        ('"\\\n\r\t\b\f\v\0\x7fé', '"\\"\\\\\\n\\r\\t\\b\\f\\u000b\\u0000\x7fé"'),
        (b"a\xffb", '"a\\ufffdb"'), (math.nan, "null"), (math.inf, "null"),
        ({"b": [1, {"c": None}], "a": "x"}, '{"a":"x","b":[1,{"c":null}]}'),
        (IntMap({10: 1, 9: 2}), '{"10":1,"9":2}'), (Typed(bool, [True]), "[true]"),
        (Struct("P", {"x": 1.5, "Z": 0}), '{"Z":0,"__name":"P","x":1.5}'),
    ],
)  # fmt: skip
def test_compact_json(shared, value, expected) -> None:
    """JSON as Go writes it."""
    assert text(shared(), value) == expected


def test_indented_json(runtime) -> None:
    """Two spaces a level, empty structures on one line, a newline at the end."""
    instance = runtime(*RUNTIME)
    word = build(instance, {"b": [1, [], {}], "a": {"x": "<"}})
    instance.json_print(word)
    instance.release(word)
    assert instance.printed() == (
        '{\n  "a": {\n    "x": "\\u003c"\n  },\n  "b": [\n    1,\n    [],\n    {}\n  ]\n}\n'
    )
    assert instance.live == 0


def test_json_of_a_structure_in_itself_stops_the_program(runtime) -> None:
    """There is no JSON without end."""
    instance = runtime(*RUNTIME)
    xs = build(instance, [1])
    instance.poke(xs + layout.LIST_DATA, (xs & 0xFFFF_FFFF).to_bytes(4, "little"))
    assert instance.failure("json_text", xs) == "error: value contains itself\n"


@given(items=st.lists(st.text(max_size=6), max_size=40))
def test_long_texts_grow(shared, items) -> None:
    """A text under construction moves without losing anything."""
    assert json.loads(text(shared(), items)) == items
