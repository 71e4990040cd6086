"""Lists of the runtime library, against Python's."""

from __future__ import annotations

from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from values import BASICS, INTS, SCALARS, Typed, build, read

from mochi_rules.compiler.lower import object_layout as layout

TYPED = st.one_of(
    st.lists(INTS, max_size=20).map(lambda xs: Typed(int, xs)),
    st.lists(st.floats(allow_nan=False), max_size=20).map(lambda xs: Typed(float, xs)),
    st.lists(st.booleans(), max_size=20).map(lambda xs: Typed(bool, xs)),
    st.lists(SCALARS, max_size=20),
)
BOUNDS = st.integers(-25, 25) | st.just(2**63 - 1) | st.just(-(2**63))
RUNTIME = (
    *BASICS, "list_slice", "list_reverse", "list_copy", "list_concat", "list_element",
    "list_set_element", "list_range", "retain", "list_union_all", "list_distinct", "list_union",
    "list_except", "list_intersect", "list_index_of", "list_contains", "list_contains_int",
    "list_contains_float", "list_contains_bool", "list_contains_string", "list_index_of_string",
    *(f"list_{verb}_{slot}" for verb in ("sum", "avg", "min", "max") for slot in ("int", "float")),
    "list_min_string", "list_max_string", "any_sum", "any_avg", "any_min", "any_max",
)  # fmt: skip


def key(value):
    """Return what tells apart as Mochi's sets do: the type counts."""
    return (type(value), value)


def distinct(values):
    """Return the values without repetitions."""
    return list({key(value): value for value in values}.values())


# Appending


@given(ops=st.lists(st.tuples(st.sampled_from("asd"), INTS), max_size=60))
def test_lists_append_as_copies_and_in_place(shared, ops) -> None:
    """Appending changes no other list: one that is shared is copied, one that is ours grows."""
    instance = shared()
    lists: list[tuple[int, list[int]]] = [(build(instance, Typed(int)), [])]
    for op, value in ops:
        address, model = lists.pop()
        if op == "s":
            instance.retain(address)
            lists.append((address, model))
        elif op == "d" and lists:
            instance.release(address)
            continue
        lists.append((instance.list_append_int(address, value), [*model, value]))
    for address, model in lists:
        assert read(instance, address) == model
        instance.release(address)
    assert instance.live == 0


@given(items=TYPED)
def test_lists_hold_what_was_appended(shared, items) -> None:
    """Lists of every layout give back their elements, and free them."""
    instance = shared()
    xs = build(instance, items)
    assert read(instance, xs) == list(items)
    instance.release(xs)
    assert instance.live == 0


def test_a_list_that_is_ours_grows_without_copies(shared) -> None:
    """Twenty thousand appends move the list to no more than forty places."""
    instance = shared()
    xs, places = build(instance, Typed(int)), set()
    for number in range(20_000):
        xs = instance.list_append_int(xs, number)
        places.add(xs)
    assert len(places) < 40
    assert read(instance, xs) == list(range(20_000))
    instance.release(xs)


# Parts


@given(items=TYPED, low=BOUNDS, high=BOUNDS, is_shared=st.booleans())
def test_slices_clamp_as_python(shared, items, low, high, is_shared) -> None:
    """A slice is Python's, and a list that somebody else has stays as it is."""
    instance = shared()
    xs = build(instance, items)
    if is_shared:
        instance.retain(xs)
    part = instance.list_slice(xs, low, high)
    assert read(instance, part) == items[low:high]
    if is_shared:
        assert read(instance, xs) == list(items)
        instance.release(xs)
    instance.release(part)
    assert instance.live == 0


def test_a_short_slice_does_not_keep_a_long_list(shared) -> None:
    """A list that shrinks to a fraction of its room gives the room back."""
    instance = shared()
    xs = build(instance, Typed(int, range(1000)))
    assert instance.list_slice(instance.list_slice(xs, 1, 1000), 0, 900) == xs
    part = instance.list_slice(xs, 0, 10)
    assert part != xs
    assert read(instance, part) == list(range(1, 11))
    instance.release(part)
    assert instance.live == 0


@given(items=TYPED)
def test_reversed_and_copied_lists_are_new(shared, items) -> None:
    """A reversed list and a copy live on when their source is gone."""
    instance = shared()
    xs = build(instance, items)
    turned, copy = instance.list_reverse(xs), instance.list_copy(xs)
    instance.release(xs)
    assert read(instance, turned) == items[::-1]
    assert read(instance, copy) == list(items)
    instance.release(turned)
    instance.release(copy)
    assert instance.live == 0


@given(a=st.lists(SCALARS, max_size=9), b=st.lists(SCALARS, max_size=9), is_shared=st.booleans())
def test_concatenation_takes_over_its_left_list(shared, a, b, is_shared) -> None:
    """A left list that somebody else has stays as it is."""
    instance = shared()
    left, right = build(instance, a), build(instance, b)
    if is_shared:
        instance.retain(left)
    whole = instance.list_concat(left, right)
    assert read(instance, whole) == a + b
    assert read(instance, right) == b
    if is_shared:
        assert read(instance, left) == a
        instance.release(left)
    instance.release(whole)
    instance.release(right)
    assert instance.live == 0


def test_a_list_doubles_onto_itself(shared) -> None:
    """Concatenating a list with itself, which is shared then, doubles it."""
    instance = shared()
    xs = build(instance, ["a", 2**40])
    instance.retain(xs)
    whole = instance.list_concat(xs, xs)
    assert read(instance, whole) == ["a", 2**40] * 2
    instance.release(whole)
    instance.release(xs)
    assert instance.live == 0


@given(a=TYPED, b=TYPED)
def test_union_all_joins_lists_of_any_layout(shared, a, b) -> None:
    """`union all` keeps everything; lists of different types become a list of any."""
    instance = shared()
    left, right = build(instance, a), build(instance, b)
    whole = instance.list_union_all(left, right)
    assert read(instance, whole) == list(a) + list(b)
    for word in (left, right, whole):
        instance.release(word)
    assert instance.live == 0


EDGES = st.sampled_from([0, 1, -1, 7, 2**63 - 1, -(2**63), 2**63 - 5, 5 - 2**63])


@given(a=EDGES, span=st.integers(-20, 20), step=st.integers(-3, 3) | EDGES)
def test_ranges_are_pythons(shared, a, span, step) -> None:
    """Ranges count up or down, to the ends of 64 bits; a step of 0 leads nowhere."""
    instance = shared()
    b = max(-(2**63), min(2**63 - 1, a + span))
    xs = instance.list_range(a, b, step)
    assert read(instance, xs) == (list(range(a, b, step)) if step else [])
    instance.release(xs)
    assert instance.live == 0


def test_a_range_beyond_memory_is_an_error(runtime) -> None:
    """A range of 2**62 ints says so before it traps."""
    assert runtime("list_range").exhaustion("list_range", 0, 2**62, 1) == "error: out of memory\n"


# Elements


@given(items=TYPED.filter(bool), data=st.data())
def test_elements_are_read_and_set_as_any(shared, items, data) -> None:
    """Elements of every layout can be read and replaced as tagged words."""
    instance = shared()
    number = data.draw(st.integers(0, len(items) - 1))
    other = data.draw(st.sampled_from(items))
    xs = build(instance, items)
    element = instance.list_element(xs, number)
    assert read(instance, element) == items[number]
    instance.list_set_element(xs, number, build(instance, other), 0)
    assert read(instance, xs) == [*items[:number], other, *items[number + 1 :]]
    instance.release(element)
    instance.release(xs)
    assert instance.live == 0


def test_an_int_becomes_a_float_in_a_list_of_floats(shared) -> None:
    """A dynamic store converts an int where floats are."""
    instance = shared()
    xs = build(instance, Typed(float, [1.5]))
    instance.list_set_element(xs, 0, build(instance, 7), 0)
    assert read(instance, xs) == [7.0]
    instance.release(xs)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("element", "value", "message"),
    [
        (int, "x", "expected `int`, got `string`"),
        (int, 1.5, "expected `int`, got `float`"),
        (int, None, "expected `int`, got `null`"),
        (float, True, "expected `float`, got `bool`"),
        (bool, [1], "expected `bool`, got `list`"),
    ],
)
def test_a_store_of_another_type_is_an_error(runtime, element, value, message) -> None:
    """A typed list takes no value of another type."""
    instance = runtime(*RUNTIME)
    xs = build(instance, Typed(element, [element(0)]))
    error = instance.failure("list_set_element", xs, 0, build(instance, value), 3)
    assert error == f"error: type mismatch: {message}\n  --> test.mochi:3\n"


# Searching and sets


@given(items=st.lists(SCALARS, max_size=8), value=SCALARS)
def test_lists_are_searched_by_typed_equality(shared, items, value) -> None:
    """`in` distinguishes 1, 1.0 and true."""
    instance = shared()
    xs, x = build(instance, items), build(instance, value)
    places = [number for number, item in enumerate(items) if key(item) == key(value)]
    assert instance.list_index_of(xs, x) == (places[0] if places else -1)
    assert instance.list_contains(xs, x) == bool(places)
    instance.release(xs)
    instance.release(x)
    assert instance.live == 0


@given(items=TYPED, value=SCALARS)
def test_typed_lists_are_searched_by_typed_equality(shared, items, value) -> None:
    """The layout of a list says what its elements can be."""
    instance = shared()
    xs, x = build(instance, items), build(instance, value)
    assert instance.list_contains(xs, x) == any(key(item) == key(value) for item in items)
    if isinstance(items, Typed) and isinstance(value, items.element):
        contains = getattr(instance, f"list_contains_{items.element.__name__}")
        if items.element is not int or not isinstance(value, bool):
            assert contains(xs, value) == (value in items)
    instance.release(xs)
    instance.release(x)
    assert instance.live == 0


@given(items=st.lists(st.text(max_size=2)), value=st.text(max_size=2))
def test_lists_of_strings_are_searched_by_bytes(shared, items, value) -> None:
    """The search for a string finds the first that has its bytes."""
    instance = shared()
    xs, x = build(instance, items), build(instance, value)
    assert instance.list_index_of_string(xs, x) == (items.index(value) if value in items else -1)
    assert instance.list_contains_string(xs, x) == (value in items)
    instance.release(xs)
    instance.release(x)
    assert instance.live == 0


FEW = st.one_of(
    st.lists(st.integers(-3, 3), max_size=12).map(lambda xs: Typed(int, xs)),
    st.lists(st.sampled_from([0.0, 1.0, 2.5]), max_size=12).map(lambda xs: Typed(float, xs)),
    st.lists(st.booleans(), max_size=12).map(lambda xs: Typed(bool, xs)),
    st.lists(st.sampled_from([1, 1.0, True, "1", None, 2**40, "é"]), max_size=12),
)


@given(a=FEW, b=FEW)
def test_lists_are_sets_in_order(shared, a, b) -> None:
    """Union and intersection have no repetitions, difference keeps those of its left side."""
    instance = shared()
    left, right = build(instance, a), build(instance, b)
    keys = {key(item) for item in b}
    expected = {
        "union": distinct([*a, *b]),
        "except": [item for item in a if key(item) not in keys],
        "intersect": distinct([item for item in a if key(item) in keys]),
    }
    for name, items in expected.items():
        result = getattr(instance, f"list_{name}")(left, right)
        assert list(map(key, read(instance, result))) == list(map(key, items)), name
        instance.release(result)
    result = instance.list_distinct(left)
    assert list(map(key, read(instance, result))) == list(map(key, distinct(a)))
    for word in (left, right, result):
        instance.release(word)
    assert instance.live == 0


def test_sets_are_deep(shared) -> None:
    """Lists and maps in lists are equal when their contents are, whatever their layout."""
    instance = shared()
    xs = build(instance, [[1, 2], Typed(int, [1, 2]), {"a": [1]}, {"a": [1]}, {"a": [1.0]}, [2, 1]])
    result = instance.list_distinct(xs)
    assert read(instance, result) == [[1, 2], {"a": [1]}, {"a": [1.0]}, [2, 1]]
    instance.release(xs)
    instance.release(result)
    assert instance.live == 0


def test_large_sets_take_linear_time(shared) -> None:
    """Six thousand different elements stay six thousand."""
    instance = shared()
    items = [number * 1024 for number in range(6_000)]
    xs = build(instance, Typed(int, items * 2))
    result = instance.list_distinct(xs)
    assert read(instance, result) == items
    instance.release(xs)
    instance.release(result)
    assert instance.live == 0


# Sums


@given(items=st.lists(INTS, max_size=9))
def test_sums_of_ints_wrap(shared, items) -> None:
    """Sum, mean and extremes of ints are exact, but for wrapping and the mean's rounding."""
    instance = shared()
    xs = build(instance, Typed(int, items))
    assert instance.list_sum_int(xs) == (sum(items) + 2**63) % 2**64 - 2**63
    mean = 0.0
    for item in items:
        mean += float(item)
    assert instance.list_avg_int(xs) == (mean / len(items) if items else 0.0)
    assert instance.list_min_int(xs) == min(items, default=0)
    assert instance.list_max_int(xs) == max(items, default=0)
    instance.release(xs)


@given(items=st.lists(st.floats(-1e9, 1e9), max_size=9))
def test_sums_of_floats_go_from_left_to_right(shared, items) -> None:
    """Sums of floats round as a loop does."""
    instance = shared()
    xs = build(instance, Typed(float, items))
    total = 0.0
    for item in items:
        total += item
    assert instance.list_sum_float(xs) == total
    assert instance.list_avg_float(xs) == (total / len(items) if items else 0.0)
    assert instance.list_min_float(xs) == min(items, default=0.0)
    assert instance.list_max_float(xs) == max(items, default=0.0)
    instance.release(xs)


@given(items=st.lists(st.text(max_size=3), max_size=9))
def test_extremes_of_strings_go_by_bytes(shared, items) -> None:
    """The least and greatest string; of no strings it is empty."""
    instance = shared()
    xs = build(instance, items)
    for name, choose in (("min", min), ("max", max)):
        found = getattr(instance, f"list_{name}_string")(xs)
        assert instance.text(found) == choose(items, key=str.encode, default="")
        instance.release(found)
    instance.release(xs)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([1, 2], (3, 1.5, 1, 2)),
        ([1, None, 2.5], (3.5, 1.75, 1.0, 2.5)),
        ([3, 2.0, 2], (7.0, 7 / 3, 2.0, 3.0)),
        ([], (0, 0.0, 0, 0)),
        (None, (0, 0, 0, 0)),
        (Typed(float, [2.0, 4.0]), (6.0, 3.0, 2.0, 4.0)),
        ([2**62, 2**62], (-(2**63), 2.0**62, 2**62, 2**62)),
    ],
)
def test_sums_of_any(shared, items, expected) -> None:
    """One float makes sum and extremes floats; nulls do not count; null is empty."""
    instance = shared()
    xs = build(instance, items)
    for name, value in zip(("sum", "avg", "min", "max"), expected, strict=True):
        word = getattr(instance, f"any_{name}")(xs, 0)
        found = read(instance, word)
        assert (type(found), found) == (type(value), value), name
        instance.release(word)
    instance.release(xs)
    assert instance.live == 0


def test_extremes_of_any_strings(shared) -> None:
    """Strings in a list of any have an order, too."""
    instance = shared()
    xs = build(instance, ["b", None, "a", "c"])
    words = [instance.any_min(xs, 0), instance.any_max(xs, 0)]
    assert [read(instance, word) for word in words] == ["a", "c"]
    for word in (xs, *words):
        instance.release(word)
    assert instance.live == 0


@pytest.mark.parametrize("name", ["sum", "avg", "min", "max"])
def test_a_sum_of_no_list_is_an_error(runtime, name) -> None:
    """The message names the function."""
    instance = runtime(*RUNTIME)
    error = instance.failure(f"any_{name}", build(instance, "abc"), 9)
    assert error == f"error: {name} expects list\n  --> test.mochi:9\n"


def test_lists_that_are_not_ours_are_copied_once(shared) -> None:
    """A list made from a shared one is ours: the next append stays in place."""
    instance = shared()
    xs = build(instance, Typed(int, range(100)))
    instance.retain(xs)
    first = instance.list_append_int(xs, 1)
    second = instance.list_append_int(first, 2)
    assert first != xs
    assert instance.word(second + layout.LIST_LEN) == 102
    assert itemgetter(-1, -2)(read(instance, second)) == (2, 1)
    instance.release(second)
    instance.release(xs)
    assert instance.live == 0
