"""Maps of the runtime library, against Python's dicts."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from values import ANY_MAP, BASICS, INT_KEYS, INTS, IntMap, Struct, build, read

from mochi_rules.compiler.lower import object_layout as layout

RUNTIME = (
    *BASICS, "map_find_int", "map_find_string", "map_copy", "map_keys", "map_values",
    "map_find_any", "map_insert_any", "map_entry_value", "key_text", "int_hash",
)  # fmt: skip
COUNTERS = layout.KIND_MAP | layout.SLOT_INT << 4 | layout.SLOT_INT << 8
STRING_COUNTERS = layout.KIND_MAP | layout.SLOT_REF << 4 | layout.SLOT_INT << 8
KEYS = st.integers(-20, 20) | INTS | st.integers(0, 40).map(lambda n: n << 40)


def number(instance, entry):
    """Return the int value of an entry."""
    return struct.unpack("<q", instance.memory(entry + layout.ENTRY_VALUE, 8))[0]


def put(instance, entry, value) -> None:
    """Set the int value of an entry."""
    instance.poke(entry + layout.ENTRY_VALUE, struct.pack("<q", value))


@given(ops=st.lists(st.tuples(st.booleans(), KEYS), max_size=200))
def test_maps_with_int_keys_are_dicts(shared, ops) -> None:
    """Any sequence of inserts and finds does what it does with a dict, in its order."""
    instance = shared()
    m, model = instance.map_make(COUNTERS), {}
    for step, (is_insert, key) in enumerate(ops):
        if is_insert:
            entry = instance.map_insert_int(m, key)
            assert number(instance, entry) == model.get(key, 0)
            put(instance, entry, step)
            model[key] = step
        else:
            entry = instance.map_find_int(m, key)
            assert (entry != 0) == (key in model)
            assert not entry or number(instance, entry) == model[key]
    assert list(read(instance, m).items()) == list(model.items())
    instance.release(m)
    assert instance.live == 0


@given(
    ops=st.lists(st.tuples(st.booleans(), st.text("ab", max_size=6)), max_size=150),
    room=st.integers(1, layout.MAP_SMALL),
)
def test_maps_with_string_keys_are_dicts(shared, ops, room) -> None:
    """The same with string keys, of which the map keeps one reference each."""
    instance = shared()
    m, model = instance.map_make_small(STRING_COUNTERS, room), {}
    for step, (is_insert, key) in enumerate(ops):
        text = instance.string(key)
        if is_insert:
            entry = instance.map_insert_string(m, text)
            assert number(instance, entry) == model.get(key, 0)
            put(instance, entry, step)
            model[key] = step
        else:
            entry = instance.map_find_string(m, text)
            assert (entry != 0) == (key in model)
            assert not entry or number(instance, entry) == model[key]
        instance.release(text)
    assert list(read(instance, m).items()) == list(model.items())
    assert instance.live == 1 + len(model)
    instance.release(m)
    assert instance.live == 0


@pytest.mark.parametrize("stride", [1, -1, 10, 4096, 2**40 + 2**20])
def test_large_maps_find_all_of_their_keys(shared, stride) -> None:
    """A thousand keys in a row, or far apart, are all found, and no others."""
    instance = shared()
    m = instance.map_make(COUNTERS)
    for n in range(1_000):
        put(instance, instance.map_insert_int(m, n * stride), n)
    for n in range(1_000):
        assert number(instance, instance.map_find_int(m, n * stride)) == n
    assert instance.map_find_int(m, -stride) == 0
    assert instance.word(m + layout.MAP_LEN) == 1_000
    instance.release(m)
    assert instance.live == 0


@pytest.mark.parametrize("step", [1, 3, 8, 10, 1000, 4096, 1 << 20, 1 << 40])
def test_hashes_of_int_patterns_spread(shared, step) -> None:
    """Keys in a regular pattern meet few others in a table that is half full."""
    instance = shared()
    places, probes = set(), 0
    for n in range(2048):
        at = instance.int_hash(n * step) % 4096
        while at in places:
            at = (at + 1) % 4096
            probes += 1
        places.add(at)
    assert probes < 2048 * 12


@given(items=st.dictionaries(st.text(max_size=4), st.integers(0, 9) | st.text(), max_size=30))
def test_keys_and_values_go_by_the_bytes_of_keys(shared, items) -> None:
    """Keys come in the order of their bytes, and values in that order, too."""
    instance = shared()
    m = build(instance, items)
    keys, values = instance.map_keys(m), instance.map_values(m)
    instance.release(m)
    ordered = sorted(items, key=str.encode)
    assert read(instance, keys) == ordered
    assert read(instance, values) == [items[key] for key in ordered]
    instance.release(keys)
    instance.release(values)
    assert instance.live == 0


POWERS = st.tuples(st.integers(-99, 99), st.integers(0, 16)).map(
    lambda pair: pair[0] * 10 ** pair[1]
)


@given(keys=st.lists(INTS | POWERS | st.sampled_from([0, 2**63 - 1, -(2**63)]), unique=True))
def test_int_keys_go_by_their_text(shared, keys) -> None:
    """1 comes before 10 before 9: the order of ints as keys is that of their decimal text."""
    instance = shared()
    m = instance.map_make(COUNTERS)
    for key in keys:
        put(instance, instance.map_insert_int(m, key), -1 - key)
    found, values = instance.map_keys(m), instance.map_values(m)
    assert instance.word(found + layout.META) >> 4 == layout.SLOT_INT
    assert read(instance, found) == sorted(keys, key=str)
    assert read(instance, values) == [-1 - key for key in sorted(keys, key=str)]
    for word in (m, found, values):
        instance.release(word)
    assert instance.live == 0


@given(items=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=40), more=st.text())
def test_copies_are_independent(shared, items, more) -> None:
    """A copy has the same entries, and what is inserted into one is not in the other."""
    instance = shared()
    m = build(instance, items)
    copy = instance.map_copy(m)
    text = instance.string(more)
    instance.map_insert_string(copy, text)
    instance.release(text)
    assert read(instance, m) == items
    instance.release(m)
    assert read(instance, copy) == {more: None, **items}
    instance.release(copy)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("a", "a"), (7, "7"), (-(2**63), str(-(2**63))), (True, "true"), (False, "false"),
        (1.5, "1.5"), (2.0, "2.0"), (None, "nil"), ([1, 2], "[1, 2]"), (["a"], '["a"]'),
        ({"b": 1.0}, '{"b": 1.0}'), (Struct("P", {"x": 1}), '{"__name": "P", "x": 1}'),
    ],
)  # fmt: skip
def test_keys_are_texts(shared, key, text) -> None:
    """A key that is not a string is its printed form, and is found by that."""
    instance = shared()
    word = build(instance, key)
    got = instance.key_text(word)
    assert instance.text(got) == text
    m = instance.map_make(ANY_MAP)
    entry = instance.map_insert_any(m, word, 0)
    assert instance.map_find_any(m, word) == entry
    assert instance.map_find_string(m, got) == entry
    assert list(read(instance, m)) == [text]
    for each in (word, got, m):
        instance.release(each)
    assert instance.live == 0


@pytest.mark.parametrize(
    ("key", "is_there"),
    [
        (7, True),
        ("7", True),
        ("07", False),
        ("+7", False),
        (" 7", False),
        ("", False),
        ("-", False),
        (7.0, False),
        ("-3", True),
        (None, False),
        ("18446744073709551623", False),
        (True, False),
    ],
)
def test_int_keys_are_found_by_their_text(shared, key, is_there) -> None:
    """In a map with int keys a string finds the int whose text it is, and nothing else does."""
    instance = shared()
    m, word = build(instance, IntMap({7: "x", -3: "y"})), build(instance, key)
    assert (instance.map_find_any(m, word) != 0) == is_there
    instance.release(m)
    instance.release(word)
    assert instance.live == 0


def test_a_text_that_is_an_int_becomes_an_int_key(shared) -> None:
    """Inserting "7" into a map with int keys inserts 7."""
    instance = shared()
    m, word = instance.map_make(INT_KEYS), build(instance, "7")
    assert instance.map_insert_any(m, word, 0) == instance.map_find_int(m, 7)
    instance.release(m)
    instance.release(word)
    assert instance.live == 0


@pytest.mark.parametrize(("key", "name"), [("x", "string"), (1.5, "float"), (None, "null")])
def test_other_keys_do_not_fit_a_map_with_int_keys(runtime, key, name) -> None:
    """A value that is not an int cannot be a key among ints."""
    instance = runtime(*RUNTIME)
    error = instance.failure("map_insert_any", instance.map_make(INT_KEYS), build(instance, key), 2)
    assert error == f"error: type mismatch: expected `int`, got `{name}`\n  --> test.mochi:2\n"


def test_values_are_read_as_any(shared) -> None:
    """A value of any layout becomes a tagged word of its own."""
    instance = shared()
    m = instance.map_make(COUNTERS)
    put(instance, instance.map_insert_int(m, 1), 2**40)
    value = instance.map_entry_value(m, instance.map_find_int(m, 1))
    instance.release(m)
    assert read(instance, value) == 2**40
    instance.release(value)
    assert instance.live == 0
