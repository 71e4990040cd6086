"""Equality and hashes of values of any type."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from values import ANY_MAP, BASICS, VALUES, IntMap, Struct, Typed, build, read

from mochi_rules.compiler.lower import object_layout as layout

RUNTIME = (*BASICS, "any_equal", "any_same", "any_hash")


def typed(value):
    """Return a form of a value that Python compares as sets do: types count."""
    if isinstance(value, list):
        return ("list", tuple(map(typed, value)))
    if isinstance(value, dict):
        return ("map", frozenset((key, typed(item)) for key, item in value.items()))
    return (type(value), value)


def plain(value):
    """Return a form of a value that Python compares as `==` does: numbers by value."""
    if isinstance(value, list):
        return ("list", tuple(map(plain, value)))
    if isinstance(value, dict):
        return ("map", frozenset((key, plain(item)) for key, item in value.items()))
    return ("number", value) if type(value) in (int, float) else (type(value), value)


FEW = st.recursive(
    st.sampled_from([0, 1, 1.0, 2.5, True, None, "a", 2**40, 2.0**40]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=3,
)


@pytest.mark.slow
@given(a=VALUES | FEW, b=FEW)
def test_equality_is_deep(shared, a, b) -> None:
    """Values are equal when they are of one shape with equal contents."""
    instance = shared()
    left, right = build(instance, a), build(instance, b)
    assert instance.any_same(left, right) == (typed(a) == typed(b))
    assert instance.any_equal(left, right) == (plain(a) == plain(b))
    instance.release(left)
    instance.release(right)
    assert instance.live == 0


@given(value=VALUES)
def test_what_is_built_twice_is_the_same_and_hashes_alike(shared, value) -> None:
    """Equality and hashes go by contents, not by identity or the order of keys."""
    instance = shared()
    turned = dict(reversed(value.items())) if isinstance(value, dict) else value
    left, right = build(instance, value), build(instance, turned)
    assert instance.any_equal(left, right)
    assert instance.any_same(left, right)
    assert instance.any_hash(left) == instance.any_hash(right)
    instance.release(left)
    instance.release(right)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("a", "b", "is_equal", "is_same"),
    [
        (1, 1.0, True, False), (2**40, 2.0**40, True, False), (0.0, -0.0, True, True),
        (1, True, False, False), (0, None, False, False), (0, False, False, False),
        ("1", 1, False, False), ([1], [1.0], True, False), ({"a": 1}, {"a": 1.0}, True, False),
        ([1], Typed(int, [1]), True, True), ([1.0], Typed(int, [1]), True, False),
        ([True], Typed(bool, [True]), True, True), ({"1": "x"}, IntMap({1: "x"}), True, True),
        (IntMap({1: "x"}), {"1": "x"}, True, True), ({"a": 1}, {"a": 1, "b": 1}, False, False),
        ({"a": 1}, {"b": 1}, False, False), ([], {}, False, False), ([1, 2], [2, 1], False, False),
        (math.nan, math.nan, False, True), (Struct("P", {"x": 1}), {"x": 1}, False, False),
    ],
)  # fmt: skip
def test_equality_and_sameness_differ_by_type(shared, a, b, is_equal, is_same) -> None:
    """`==` compares numbers by value, sets tell types apart; a map's keys are texts."""
    instance = shared()
    left, right = build(instance, a), build(instance, b)
    assert instance.any_equal(left, right) == is_equal
    assert instance.any_same(left, right) == is_same
    if is_same:
        assert instance.any_hash(left) == instance.any_hash(right)
    instance.release(left)
    instance.release(right)
    assert instance.live == 0


def test_structs_are_equal_by_type_and_fields(shared) -> None:
    """Two structs of one type are equal where their fields are."""
    instance = shared()
    one = build(instance, Struct("P", {"x": 1}))
    described = instance.word(one + layout.META)
    for value, expected in ((1, True), (2, False)):
        other = instance.object_make(16, described)
        instance.poke(other + 8, instance.box_int(value).to_bytes(4, "little"))
        assert instance.any_equal(one, other) == instance.any_same(one, other) == expected
        assert (instance.any_hash(one) == instance.any_hash(other)) == expected
        instance.release(other)
    stranger = build(instance, Struct("Q", {"x": 1}))
    assert not instance.any_equal(one, stranger)
    instance.release(one)
    instance.release(stranger)
    assert instance.live == 0


@given(items=st.lists(st.integers(), max_size=5, unique=True))
def test_hashes_differ_where_values_do(shared, items) -> None:
    """Different lists of small ints have different hashes, but for a rare chance."""
    instance = shared()
    small = [[item % 1000, position] for position, item in enumerate(items)]
    words = [build(instance, item) for item in small]
    assert len({instance.any_hash(word) for word in words}) == len(words)
    for word in words:
        instance.release(word)
    assert instance.live == 0


def test_a_map_can_contain_null(shared) -> None:
    """A key with null is not a missing key."""
    instance = shared()
    left, right = build(instance, {"a": None}), build(instance, {"b": None})
    assert not instance.any_equal(left, right)
    assert read(instance, left) == {"a": None}
    instance.release(left)
    instance.release(right)


@pytest.mark.parametrize("function", ["any_equal", "any_same", "any_hash"])
def test_structures_without_end_stop_the_program(runtime, function) -> None:
    """Comparing maps that contain themselves says so instead of overflowing the stack."""
    instance = runtime(*RUNTIME)
    words = []
    for _ in range(2):
        m = instance.map_make(ANY_MAP)
        entry = instance.map_insert_string(m, instance.string("self"))
        instance.poke(entry + layout.ENTRY_VALUE, (m & 0xFFFF_FFFF).to_bytes(4, "little"))
        words.append(m)
    error = instance.failure(function, *(words if function != "any_hash" else words[:1]))
    assert error == "error: value is nested too deeply\n"
