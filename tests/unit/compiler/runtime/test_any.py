"""Tagged words of the runtime library: boxes, expectations and casts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from values import BASICS, INTS, Struct, Typed, build, meta, read

from mochi_rules.compiler.ir.types import INT, STRING
from mochi_rules.compiler.lower import object_layout as layout

RUNTIME = (
    *BASICS, "unbox_int", "meta_of", "any_truthy", "expect_int", "expect_float", "expect_bool",
    "expect_kind", "expect_struct", "cast_int", "cast_float", "cast_bool", "cast_string",
    "type_name", "cast_field",
)  # fmt: skip


@given(value=INTS | st.sampled_from([2**30 - 1, 2**30, -(2**30), -(2**30) - 1]))
def test_ints_are_boxed_only_where_they_must_be(shared, value) -> None:
    """Ints of 31 bits are immediates, as the compiler makes them; others are objects."""
    instance = shared()
    word = instance.box_int(value)
    small = layout.small_int(value)
    assert small is None or word & 0xFFFF_FFFF == small
    assert instance.live == (small is None)
    assert instance.unbox_int(word) == value == read(instance, word)
    assert instance.expect_int(word, 0) == value
    instance.release(word)
    assert instance.live == 0


def test_meta_words_are_of_objects_only(shared) -> None:
    """The meta word of an immediate is 0."""
    instance = shared()
    assert [instance.meta_of(build(instance, value)) for value in (None, 1, True, False)] == [0] * 4
    word = build(instance, Typed(bool))
    assert instance.meta_of(word) == layout.KIND_LIST | layout.SLOT_BOOL << 4
    instance.release(word)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, False), (False, False), (True, True), (0, False), (-1, True), (2**40, True),
        (0.0, False), (-0.0, False), (0.5, True), (math.nan, True), ("", False), ("0", True),
        ([], False), ([None], True), ({}, False), ({"a": 0}, True), (Struct("P"), True),
    ],
)  # fmt: skip
def test_what_is_empty_is_not_true(shared, value, expected) -> None:
    """Null, false, 0 and empty containers count as false."""
    instance = shared()
    word = build(instance, value)
    assert instance.any_truthy(word) == expected
    instance.release(word)
    assert instance.live == 0


NAMES = [
    (None, "null"), (1, "int"), (2**40, "int"), (1.5, "float"), (True, "bool"), ("a", "string"),
    ([1], "list"), ({}, "map"), (Struct("Point", {"x": 1}), "Point"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "name"), NAMES)
def test_types_have_names(shared, value, name) -> None:
    """The name of a value's type is the language's; a struct has its own."""
    instance = shared()
    word = build(instance, value)
    assert instance.text(instance.type_name(word)) == name
    instance.release(word)
    assert instance.live == 0


@pytest.mark.parametrize("expected", ["int", "float", "bool"])
@pytest.mark.parametrize(("value", "name"), NAMES)
def test_values_of_another_type_stop_the_program(runtime, expected, value, name) -> None:
    """Where a type is expected a value of another stops; an int is a float, too."""
    instance = runtime(*RUNTIME)
    word = build(instance, value)
    if name == expected or (expected, name) == ("float", "int"):
        assert getattr(instance, f"expect_{expected}")(word, 5) == value
        return
    error = instance.failure(f"expect_{expected}", word, 5)
    message = f"expected `{expected}`, got `{name}`"
    assert error == f"error: type mismatch: {message}\n  --> test.mochi:5\n"


def test_kinds_are_expected(shared) -> None:
    """A value of the kind, and for a list of the layout, passes without a reference."""
    instance = shared()
    word, text = build(instance, ["a"]), build(instance, "a")
    assert instance.expect_kind(word, layout.list_meta(STRING), 0) == word
    assert instance.expect_kind(text, layout.KIND_STRING, 0) == text
    instance.release(word)
    instance.release(text)
    assert instance.live == 0


def test_a_list_of_another_layout_stops_the_program(runtime) -> None:
    """A list of strings is not a list of ints, whatever its type says."""
    instance = runtime(*RUNTIME)
    error = instance.failure("expect_kind", build(instance, ["a"]), layout.list_meta(INT), 0)
    assert "another type" in error


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (layout.KIND_STRING, None, "expected `string`, got `null`"),
        (layout.KIND_LIST, "x", "expected `list`, got `string`"),
        (layout.KIND_MAP, Struct("P"), "expected `map`, got `P`"),
        (layout.KIND_CLOSURE, 1, "expected `function`, got `int`"),
    ],
)
def test_other_kinds_stop_the_program(runtime, kind, value, message) -> None:
    """Another kind is a type mismatch."""
    instance = runtime(*RUNTIME)
    error = instance.failure("expect_kind", build(instance, value), kind, 0)
    assert error == f"error: type mismatch: {message}\n"


@pytest.mark.parametrize(("value", "name"), [(Struct("B"), "B"), (None, "null"), (3, "int")])
def test_structs_are_expected_by_type(runtime, value, name) -> None:
    """A struct of another type is a type mismatch that names both."""
    instance = runtime(*RUNTIME)
    wanted = meta(instance, "A", ["x"])
    word = instance.object_make(16, wanted)
    assert instance.expect_struct(word, wanted, 0) == word
    error = instance.failure("expect_struct", build(instance, value), wanted, 0)
    assert error == f"error: type mismatch: expected `A`, got `{name}`\n"


@pytest.mark.parametrize(
    ("target", "value", "expected"),
    [
        ("int", 7, 7), ("int", 2**40, 2**40), ("int", -1.9, -1), ("int", 1e300, 2**63 - 1),
        ("int", "-12", -12), ("int", "+5", 5), ("int", None, 0), ("float", 1, 1.0),
        ("float", 2**40, 2.0**40), ("float", 0.5, 0.5), ("float", "1.5", 1.5), ("float", None, 0.0),
        ("bool", True, 1), ("bool", False, 0),
    ],
)  # fmt: skip
def test_casts_convert(shared, target, value, expected) -> None:
    """Numbers and decimal text become numbers, null becomes 0, a float loses its fraction."""
    instance = shared()
    word = build(instance, value)
    assert getattr(instance, f"cast_{target}")(word, 0) == expected
    instance.release(word)
    assert instance.live == 0


def test_a_string_casts_to_itself(shared) -> None:
    """A string is cast to a string without a copy."""
    instance = shared()
    word = build(instance, "abc")
    assert instance.cast_string(word, 0) == word
    instance.release(word)
    instance.release(word)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("target", "value", "message"),
    [
        ("int", " 5", 'cannot cast " 5" to int'),
        ("int", "", 'cannot cast "" to int'),
        ("int", "0x10", 'cannot cast "0x10" to int'),
        ("int", True, "cannot cast bool to int"),
        ("int", [1], "cannot cast []interface {} to int"),
        ("float", "x", 'cannot cast "x" to float'),
        ("float", False, "cannot cast bool to float"),
        ("bool", 1, "cannot cast int to bool"),
        ("bool", None, "cannot cast <nil> to bool"),
        ("bool", 1.5, "cannot cast float64 to bool"),
        ("string", 1, "cannot cast int to string"),
        ("string", {}, "cannot cast map[string]interface {} to string"),
        ("string", Struct("P"), "cannot cast map[string]interface {} to string"),
    ],
)
def test_other_casts_stop_the_program(runtime, target, value, message) -> None:
    """The message has upstream's names of types."""
    instance = runtime(*RUNTIME)
    error = instance.failure(f"cast_{target}", build(instance, value), 4)
    assert error == f"error: {message}\n  --> test.mochi:4\n"


@pytest.mark.parametrize("base", [{"x": 1}, Struct("P", {"x": 1})])
def test_fields_for_a_struct_are_taken_from_maps_and_structs(shared, base) -> None:
    """A cast to a struct takes each field by name, also where it is null."""
    instance = shared()
    word, name, struct = build(instance, base), build(instance, "x"), build(instance, "Q")
    assert read(instance, instance.cast_field(word, name, struct, 0)) == 1
    for each in (word, name, struct):
        instance.release(each)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ({"y": 1}, "missing field x for Q"),
        (5, "cannot cast int to Q"),
        (None, "cannot cast <nil> to Q"),
    ],
)
def test_missing_fields_stop_the_program(runtime, base, message) -> None:
    """A map without the field cannot become the struct."""
    instance = runtime(*RUNTIME)
    args = (build(instance, base), build(instance, "x"), build(instance, "Q"), 8)
    assert instance.failure("cast_field", *args) == f"error: {message}\n  --> test.mochi:8\n"
