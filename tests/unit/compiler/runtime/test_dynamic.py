"""Operators and built-in functions on values of any type."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from values import BASICS, INTS, IntMap, Struct, Typed, build, read

from mochi_rules.compiler.lower import object_layout as layout

RUNTIME = (
    *BASICS, "any_add", "any_sub", "any_mul", "any_div", "any_rem", "any_neg", "any_index",
    "any_store", "any_slice", "any_field", "any_store_field", "any_len", "any_in", "any_append",
    "any_iterate", "any_keys", "any_values", "retain",
)  # fmt: skip
OPS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "rem": "%"}
POINT = Struct("Point", {"x": 1, "name": "p"})


def apply(instance, function, *args):
    """Call a function of values; return its result as a value, and check that nothing leaks."""
    words = [build(instance, arg) for arg in args]
    word = getattr(instance, function)(*words, 7)
    result = read(instance, word)
    for each in (*words, word):
        instance.release(each)
    assert instance.live == 0
    return result


def truncated(op, a, b):
    """Compute as Mochi does with ints."""
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if op in "/%" else 0
    return {"+": a + b, "-": a - b, "*": a * b, "/": quotient, "%": a - quotient * b}[op]


# Arithmetic

SMALL_EDGES = st.sampled_from([0, 1, -1, 2**30 - 1, 2**30, -(2**30), -(2**30) - 1, 2**31, 2**62])
OPERANDS = INTS | SMALL_EDGES


@given(op=st.sampled_from(sorted(OPS)), a=OPERANDS, b=OPERANDS)
def test_ints_compute_exactly_or_fail(shared, op, a, b) -> None:
    """Results that fit 64 bits are exact, whether operands and result are boxed or not."""
    if b == 0 and op in ("div", "rem"):
        return
    expected = truncated(OPS[op], a, b)
    if -(2**63) <= expected < 2**63:
        assert apply(shared(), f"any_{op}", a, b) == expected


@pytest.mark.parametrize(
    ("op", "a", "b"),
    [
        ("add", 2**63 - 1, 1), ("add", -(2**63), -1), ("sub", -(2**63), 1), ("sub", 0, -(2**63)),
        ("mul", 2**62, 2), ("mul", -(2**63), -1), ("mul", 2**40, 2**40), ("div", -(2**63), -1),
    ],
)  # fmt: skip
def test_overflow_stops_the_program(runtime, op, a, b) -> None:
    """A result of more than 64 bits is an error, not a wrong number."""
    instance = runtime(*RUNTIME)
    error = instance.failure(f"any_{op}", build(instance, a), build(instance, b), 3)
    assert error == "error: integer overflow\n  --> test.mochi:3\n"


@pytest.mark.parametrize("op", ["div", "rem"])
@pytest.mark.parametrize(("a", "b"), [(1, 0), (2**40, 0), (1.5, 0.0), (1, -0.0), (1.5, 0)])
def test_division_by_zero_stops_the_program(runtime, op, a, b) -> None:
    """Dividing by 0 is an error for floats, too."""
    instance = runtime(*RUNTIME)
    error = instance.failure(f"any_{op}", build(instance, a), build(instance, b), 3)
    assert error == "error: division by zero\n  --> test.mochi:3\n"


FLOATS = st.floats(-1e6, 1e6)


@given(op=st.sampled_from(sorted(OPS)), a=FLOATS | st.integers(-99, 99), b=FLOATS)
def test_a_float_makes_the_result_a_float(shared, op, a, b) -> None:
    """Where one operand is a float both are; remainders are C's."""
    for left, right in ((a, b), (b, a)):
        if right == 0 and op in ("div", "rem"):
            continue
        x, y = float(left), float(right)
        result = apply(shared(), f"any_{op}", left, right)
        if op == "rem":
            assert result == math.fmod(x, y)
        else:
            assert result == {"add": x + y, "sub": x - y, "mul": x * y}.get(op, x / y if y else 0)
        assert isinstance(result, float)


@pytest.mark.parametrize("op", sorted(OPS))
@pytest.mark.parametrize("other", [1, 2**40, 1.5, [1], None])
def test_null_spreads(shared, op, other) -> None:
    """An operation with null is null; only of text and null `+` makes text."""
    assert apply(shared(), f"any_{op}", None, other) is None
    assert apply(shared(), f"any_{op}", other, None) is None


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("a", "b", "ab"),
        ("x", 1, "x1"),
        (1.0, "x", "1x"),
        ("", True, "true"),
        ("x", None, "x<nil>"),
        (None, "x", "<nil>x"),
        ("l", [1, "a"], "l[1 a]"),
        ({"k": None}, "!", "map[k:<nil>]!"),
        ([1], ["a"], [1, "a"]),
        (Typed(int, [1]), Typed(int, [2]), [1, 2]),
        (Typed(int, [1]), [None], [1, None]),
        (Typed(bool, [True]), Typed(float, [1.5]), [True, 1.5]),
        ([], Typed(int, [1]), [1]),
    ],
)
def test_plus_joins_texts_and_lists(shared, a, b, expected) -> None:
    """Text and anything make a text, two lists make a list."""
    assert apply(shared(), "any_add", a, b) == expected


@pytest.mark.parametrize(
    ("op", "a", "b", "types"),
    [
        ("add", 1, [1], "`int` and `list`"), ("add", True, True, "`bool` and `bool`"),
        ("sub", "a", 1, "`string` and `int`"), ("mul", POINT, 2, "`Point` and `int`"),
        ("div", {}, [], "`map` and `list`"), ("rem", "5", 2, "`string` and `int`"),
    ],
)  # fmt: skip
def test_other_operands_stop_the_program(runtime, op, a, b, types) -> None:
    """The message names the operator and both types."""
    instance = runtime(*RUNTIME)
    error = instance.failure(f"any_{op}", build(instance, a), build(instance, b), 3)
    assert error == (
        f"error: operator `{OPS[op]}` cannot be used on types {types}\n  --> test.mochi:3\n"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, -5), (-(2**30), 2**30), (1.5, -1.5), (None, None), (-(2**63), -(2**63))],
)
def test_negation(shared, value, expected) -> None:
    """Minus null is null, minus the least int wraps."""
    assert apply(shared(), "any_neg", value) == expected


def test_minus_a_text_stops_the_program(runtime) -> None:
    """Only numbers have a negative."""
    instance = runtime(*RUNTIME)
    error = instance.failure("any_neg", build(instance, "a"), 3)
    assert error == "error: type mismatch: expected `number`, got `string`\n  --> test.mochi:3\n"


# Access


@pytest.mark.parametrize(
    ("base", "index", "expected"),
    [
        ([1, "a"], 1, "a"),
        ([1, "a"], -2, 1),
        (Typed(float, [0.5]), 0, 0.5),
        ("aé", 1, "é"),
        ("abc", -1, "c"),
        ({"k": [1]}, "k", [1]),
        ({"k": 1}, "x", None),
        ({"1": 2}, 1, 2),
        (IntMap({5: "v"}), 5, "v"),
        (IntMap({5: "v"}), "5", "v"),
        (POINT, "x", 1),
        (POINT, "y", None),
        (POINT, "__name", "Point"),
    ],
)
def test_elements_of_anything(shared, base, index, expected) -> None:
    """Lists, strings, maps and structs are indexed; what is missing by key is null."""
    assert apply(shared(), "any_index", base, index) == expected


@pytest.mark.parametrize(
    ("base", "index", "message"),
    [
        ([1], 1, "list index out of range: 1 (len 1)"),
        ([1], -2, "list index out of range: -2 (len 1)"),
        ([1], 2**62, f"list index out of range: {2**62} (len 1)"),
        ("é", 1, "string index out of range: 1 (len 1)"),
        ([1], "a", "invalid index"), ("a", "b", "string index must be int"),
        (5, 0, "cannot index value of this kind"), (POINT, 1, "cannot index value of this kind"),
        (None, 0, "null where a value is needed"),
    ],
)  # fmt: skip
def test_elements_that_are_not_there_stop_the_program(runtime, base, index, message) -> None:
    """An index out of range, or of something else, is an error with upstream's words."""
    instance = runtime(*RUNTIME)
    error = instance.failure("any_index", build(instance, base), build(instance, index), 6)
    assert error == f"error: {message}\n  --> test.mochi:6\n"


@pytest.mark.parametrize(
    ("base", "index", "value", "expected"),
    [
        ([1, 2], -1, "x", [1, "x"]),
        (Typed(int, [1]), 0, 2**40, [2**40]),
        ({}, "k", [1], {"k": [1]}),
        ({"k": "old"}, "k", None, {"k": None}),
        ({}, 5, 1, {"5": 1}),
        (IntMap({5: "v"}), "5", "w", {5: "w"}),
        (POINT, "x", "new", Struct("Point", {"name": "p", "x": "new"})),
    ],
)
def test_elements_of_anything_are_stored(shared, base, index, value, expected) -> None:
    """A store changes the container itself and frees what was there."""
    instance = shared()
    word, place = build(instance, base), build(instance, index)
    instance.any_store(word, place, build(instance, value), 0)
    assert read(instance, word) == expected
    instance.release(word)
    instance.release(place)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("base", "index", "message"),
    [
        ([1], 1, "list index out of range: 1 (len 1)"),
        ("abc", 0, "invalid index target"),
        (5, 0, "invalid index target"),
        (None, 0, "null where a value is needed"),
        (POINT, "y", "unknown field `y` on Point"),
        (POINT, "__name", "unknown field `__name` on Point"),
    ],
)
def test_stores_that_cannot_be_stop_the_program(runtime, base, index, message) -> None:
    """Strings and numbers cannot be changed, structs get no new fields."""
    instance = runtime(*RUNTIME)
    args = (build(instance, base), build(instance, index), build(instance, 1))
    assert instance.failure("any_store", *args, 6) == f"error: {message}\n  --> test.mochi:6\n"


def test_fields_are_read_and_stored_by_name(shared) -> None:
    """Maps and structs have fields."""
    instance = shared()
    for base in ({"a": 1}, Struct("P", {"a": 1})):
        word, name = build(instance, base), build(instance, "a")
        assert read(instance, instance.any_field(word, name, 0)) == 1
        instance.any_store_field(word, name, build(instance, [2]), 0)
        value = instance.any_field(word, name, 0)
        instance.release(word)
        assert read(instance, value) == [2]
        instance.release(value)
        instance.release(name)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("any_field", "cannot index value of this kind"),
        ("any_store_field", "invalid index target"),
    ],
)
def test_fields_of_a_list_stop_the_program(runtime, function, message) -> None:
    """A list has no fields."""
    instance = runtime(*RUNTIME)
    args = [build(instance, [1]), build(instance, "a")]
    args += [build(instance, 1)] if function == "any_store_field" else []
    assert instance.failure(function, *args, 2) == f"error: {message}\n  --> test.mochi:2\n"


@pytest.mark.parametrize(("base", "expected"), [([1, "a", None], ["a"]), ("aéb", "é")])
def test_slices_of_anything(shared, base, expected) -> None:
    """Lists and strings have slices."""
    instance = shared()
    word = build(instance, base)
    part = instance.any_slice(word, 1, -1, 0)
    assert read(instance, part) == expected
    instance.release(word)
    instance.release(part)
    assert instance.live == 0


# Functions


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2], 2), (Typed(bool, [True]), 1), ("aé", 2), ({"a": 1}, 1), (None, 0), (-12, 3),
        (1.5, 3), (2**40, 13), (POINT, 3),
    ],
)  # fmt: skip
def test_lengths(shared, value, expected) -> None:
    """Elements, code points, keys with a struct's name, or digits."""
    instance = shared()
    word = build(instance, value)
    assert instance.any_len(word, 0) == expected
    instance.release(word)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("x", "container", "expected"),
    [
        (1, [1], True),
        (1, [1.0], False),
        ([1], [[1]], True),
        ("b", "abc", True),
        ("", "", True),
        ("d", "abc", False),
        ("k", {"k": 0}, True),
        (1, {"1": 0}, True),
        ("1", IntMap({1: 0}), True),
        ("x", POINT, True),
        ("y", POINT, False),
        (2.5, Typed(float, [2.5]), True),
    ],
)
def test_membership(shared, x, container, expected) -> None:
    """`in` asks for elements, keys, or parts."""
    instance = shared()
    words = build(instance, x), build(instance, container)
    assert instance.any_in(*words, 0) == expected
    for word in words:
        instance.release(word)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("xs", "value", "expected", "slot"),
    [
        (None, 1, [1], layout.SLOT_REF), ([], "a", ["a"], layout.SLOT_REF),
        (Typed(int, [1]), 2**40, [1, 2**40], layout.SLOT_INT),
        (Typed(float, [0.5]), 1.5, [0.5, 1.5], layout.SLOT_FLOAT),
        (Typed(float, [0.5]), 1, [0.5, 1], layout.SLOT_REF),
        (Typed(bool), True, [True], layout.SLOT_BOOL),
        (Typed(int, [2**40]), "a", [2**40, "a"], layout.SLOT_REF),
        (Typed(bool, [True]), 1, [True, 1], layout.SLOT_REF),
    ],
)  # fmt: skip
def test_appending_keeps_the_layout_where_it_can(shared, xs, value, expected, slot) -> None:
    """A list of ints stays one until something else is appended."""
    instance = shared()
    word = instance.any_append(build(instance, xs), build(instance, value), 0)
    assert read(instance, word) == expected
    assert instance.word(word + layout.META) >> 4 == slot
    instance.release(word)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, "a"], [1, "a"]), (Typed(int, [3]), [3]), ("aé", ["a", "é"]), (None, []),
        ({"b": 1, "a": 2}, ["a", "b"]), (IntMap({9: 0, 10: 0}), [10, 9]),
        (POINT, ["__name", "name", "x"]),
    ],
)  # fmt: skip
def test_loops_go_through_elements_or_keys(shared, value, expected) -> None:
    """A loop has a list: keys in the order of their texts, of a string there are code points."""
    assert apply(shared(), "any_iterate", value) == expected


@pytest.mark.parametrize(
    ("value", "keys", "values"),
    [
        ({"b": 1, "a": "x"}, ["a", "b"], ["x", 1]),
        (IntMap({9: 0, 10: [1]}), [10, 9], [[1], 0]),
        (None, [], []),
        (POINT, ["__name", "name", "x"], ["Point", "p", 1]),
    ],
)
def test_keys_and_values_of_anything(shared, value, keys, values) -> None:
    """Keys are strings or ints, those of a struct its members' names; values are in their order."""
    assert apply(shared(), "any_keys", value) == keys
    assert apply(shared(), "any_values", value) == values


@pytest.mark.parametrize(
    ("function", "args", "message"),
    [
        ("any_len", (True,), "invalid len operand"),
        ("any_in", (1, 5), "invalid 'in' operand"),
        ("any_in", (1, "1"), "invalid 'in' operand"),
        ("any_append", (5, 1), "append expects list"),
        ("any_iterate", (5,), "invalid iterator"),
        ("any_keys", ([1],), "keys expects map"),
        ("any_values", ("a",), "values expects map"),
    ],
)
def test_wrong_arguments_stop_the_program(runtime, function, args, message) -> None:
    """The messages are upstream's."""
    instance = runtime(*RUNTIME)
    words = [build(instance, arg) for arg in args]
    assert instance.failure(function, *words, 2) == f"error: {message}\n  --> test.mochi:2\n"
