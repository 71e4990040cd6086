"""Sorting and the order of values in the runtime library."""

from __future__ import annotations

import math
from functools import cmp_to_key

import pytest
from hypothesis import given
from hypothesis import strategies as st
from values import BASICS, INTS, VALUES, Typed, build, read

RUNTIME = (*BASICS, "list_sort", "list_sort_by_keys", "any_order", "any_less", "any_less_equal")
FLOATS = st.floats(allow_nan=False)


@given(items=st.lists(INTS, max_size=120))
def test_ints_sort(shared, items) -> None:
    """Few ints go by insertion, many by digits; the result is Python's."""
    instance = shared()
    xs = build(instance, Typed(int, items))
    result = instance.list_sort(xs)
    assert read(instance, result) == sorted(items)
    assert read(instance, xs) == items
    instance.release(xs)
    instance.release(result)
    assert instance.live == 0


@pytest.mark.parametrize("bits", [1, 8, 13, 32, 63])
def test_many_ints_sort(shared, bits) -> None:
    """Three thousand ints of different width sort as Python sorts them."""
    instance = shared()
    state, items = 1, []
    for _ in range(3_000):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        items.append((state >> (64 - bits)) - 2 ** (bits - 1))
    xs = build(instance, Typed(int, items))
    result = instance.list_sort(xs)
    assert read(instance, result) == sorted(items)
    instance.release(xs)
    instance.release(result)
    assert instance.live == 0


@given(items=st.lists(FLOATS, max_size=80))
def test_floats_sort(shared, items) -> None:
    """Floats sort by value, infinities at the ends and -0.0 before 0.0."""
    instance = shared()
    xs = build(instance, Typed(float, items))
    result = read(instance, word := instance.list_sort(xs))
    assert result == sorted(items)
    signs = [math.copysign(1, item) for item in result if item == 0]
    assert signs == sorted(signs)
    instance.release(xs)
    instance.release(word)
    assert instance.live == 0


@given(items=st.lists(st.booleans()))
def test_bools_sort(shared, items) -> None:
    """False comes before true."""
    instance = shared()
    xs = build(instance, Typed(bool, items))
    result = instance.list_sort(xs)
    assert read(instance, result) == sorted(items)
    instance.release(xs)
    instance.release(result)
    assert instance.live == 0


@given(items=st.lists(st.text(max_size=3), max_size=40))
def test_strings_sort_by_bytes(shared, items) -> None:
    """The order of strings is that of their bytes, which is that of code points."""
    instance = shared()
    xs = build(instance, items)
    result = instance.list_sort(xs)
    assert read(instance, result) == sorted(items)
    instance.release(xs)
    instance.release(result)
    assert instance.live == 0


@given(keys=st.lists(st.integers(0, 4) | st.just(2**40) | st.none() | st.just(1.5), max_size=60))
def test_sorting_by_keys_is_stable(shared, keys) -> None:
    """Items with equal keys keep their order; nulls come last."""
    instance = shared()
    items = list(range(len(keys)))
    xs, by = build(instance, Typed(int, items)), build(instance, keys)
    result = instance.list_sort_by_keys(xs, by)
    expected = sorted(items, key=lambda n: (keys[n] is None, keys[n] or 0))
    assert read(instance, result) == expected
    for word in (xs, by, result):
        instance.release(word)
    assert instance.live == 0


@given(rows=st.lists(st.tuples(st.integers(0, 2), st.sampled_from("ab"), st.text(max_size=2))))
def test_sorting_by_lists_is_lexicographic(shared, rows) -> None:
    """Keys that are lists compare element by element; items may be strings."""
    instance = shared()
    xs = build(instance, [text for _, _, text in rows])
    by = build(instance, [[number, letter] for number, letter, _ in rows])
    result = instance.list_sort_by_keys(xs, by)
    instance.release(xs)
    instance.release(by)
    assert read(instance, result) == [row[2] for row in sorted(rows, key=lambda row: row[:2])]
    instance.release(result)
    assert instance.live == 0


@pytest.mark.parametrize(
    "items",
    [
        [-1, 0, 0.5, 1, 2, 2.5, 2**40, 1e300, math.inf],
        ["", "A", "a", "ab", "b", "é"],
        [False, True],
        [[], [0], [0, 1], [0.5], [1], [1, None], [None]],
        [1, "1a", "a", None],
        ["map", {"a": 1}, "mb"],
    ],
)
def test_values_have_an_order(shared, items) -> None:
    """Numbers by value, strings by bytes, lists by elements, others by text, null last."""
    instance = shared()
    words = [build(instance, item) for item in items]
    for n, a in enumerate(words):
        for m, b in enumerate(words):
            order = instance.any_order(a, b)
            assert (order > 0) - (order < 0) == (n > m) - (n < m)
    for word in words:
        instance.release(word)
    assert instance.live == 0


@given(a=VALUES, b=VALUES)
def test_the_order_has_two_sides(shared, a, b) -> None:
    """Turning the operands round turns the order round, for any values."""
    instance = shared()
    left, right = build(instance, a), build(instance, b)
    orders = instance.any_order(left, right), instance.any_order(right, left)
    assert [(n > 0) - (n < 0) for n in orders] in ([0, 0], [1, -1], [-1, 1])
    instance.release(left)
    instance.release(right)
    assert instance.live == 0


NUMBERS = INTS | FLOATS | st.just(math.nan)


@given(a=NUMBERS, b=NUMBERS)
def test_numbers_compare_by_value(shared, a, b) -> None:
    """`<` and `<=` of numbers: ints exactly, with a float as floats; NaN is never less."""
    instance = shared()
    left, right = build(instance, a), build(instance, b)
    x, y = (a, b) if isinstance(a, int) and isinstance(b, int) else (float(a), float(b))
    assert instance.any_less(left, right) == (x < y)
    assert instance.any_less_equal(left, right) == (x <= y)
    instance.release(left)
    instance.release(right)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("a", "b"), [(None, 1), (1, None), (None, None), ([1], [2]), ("1", 2), ({}, {}), (True, 2)]
)
def test_what_has_no_order_is_never_less(shared, a, b) -> None:
    """Comparing null, lists, or different kinds is false, as upstream has it."""
    instance = shared()
    left, right = build(instance, a), build(instance, b)
    assert not instance.any_less(left, right)
    assert not instance.any_less_equal(left, right)
    instance.release(left)
    instance.release(right)


@pytest.mark.parametrize(("a", "b"), [("a", "b"), ("Z", "a"), (False, True), ("", "a")])
def test_strings_and_bools_are_less(shared, a, b) -> None:
    """Strings compare by bytes, false is less than true."""
    instance = shared()
    left, right = build(instance, a), build(instance, b)
    assert instance.any_less(left, right)
    assert not instance.any_less(right, left)
    assert instance.any_less_equal(left, left)
    instance.release(left)
    instance.release(right)


def test_sorting_compares_few_words_where_all_is_in_order(shared) -> None:
    """What is in order stays so, also where it was sorted before as mixed values."""
    instance = shared()
    items = [1, 2.5, 2**40, 2**41, "a", "b", None]
    xs = build(instance, items)
    first = instance.list_sort(xs)
    second = instance.list_sort(first)
    by = cmp_to_key(lambda a, b: items.index(a) - items.index(b))
    assert read(instance, second) == sorted(items, key=by)
    for word in (xs, first, second):
        instance.release(word)
    assert instance.live == 0
