"""Strings of the runtime library, against Python's."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from values import read

from mochi_rules.compiler.lower import object_layout as layout

# Of one to four bytes, white space of all lengths, and what is special to Python's `str`.
TEXTS = st.text(st.sampled_from("aAbzZ ,.\n\t\x00é\xa0ßλ\u2003€\u3000🎉"), max_size=24)
PARTS = st.text(st.sampled_from("ab,é🎉"), max_size=3)
BYTES = st.binary(max_size=40)
INDICES = st.integers(-30, 30) | st.sampled_from([2**63 - 1, -(2**63), 2**32, -(2**32)])
SPACE = "".join(map(chr, [*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)])) + (
    "\u2028\u2029\u202f\u205f\u3000"
)
RUNTIME = (
    "string_concat", "string_eq", "string_compare", "string_at", "string_slice", "string_hash",
    "string_next", "string_char_at_offset", "string_contains", "string_index_of",
    "string_starts_with", "string_ends_with", "string_repeat", "string_reverse", "string_trim",
    "string_split", "string_join", "string_pad_start", "string_of_bool", "string_of_byte",
    "retain", "append_often",
)  # fmt: skip
SOURCE = """
fun append_often(part: string, times: word): string {
  var text = string_empty()
  var left = times
  while left != 0 {
    text = string_concat(text, part)
    left = left - 1
  }
  return text
}
"""


def sign(number):
    """Return -1, 0 or 1."""
    return (number > 0) - (number < 0)


def take(instance, string):
    """Return the text of a string, which is released."""
    text = instance.text(string)
    instance.release(string)
    return text


class Borrowed:
    """String objects that are lent to functions, and given back at the end."""

    def __init__(self, instance, *texts) -> None:
        self.instance = instance
        self.strings = [instance.string(text) for text in texts]

    def __enter__(self) -> list[int]:
        return self.strings

    def __exit__(self, *failure: object) -> None:
        for string in self.strings:
            self.instance.release(string)
        if failure[0] is None:
            assert self.instance.live == 0


# Concatenating


@given(parts=st.lists(TEXTS, max_size=8), shared_at=st.integers(0, 8))
def test_concatenations_are_those_of_python_and_leave_shared_strings_alone(
    shared, parts, shared_at
) -> None:
    """A string that somebody else holds does not change when it is appended to."""
    instance = shared()
    text, kept, expected = instance.string(""), None, ""
    with Borrowed(instance, *parts) as strings:
        for number, part in enumerate(strings):
            if number == shared_at:
                instance.retain(text)
                kept = (text, expected)
            text = instance.string_concat(text, part)
            expected += parts[number]
        assert take(instance, text) == expected
        if kept:
            assert take(instance, kept[0]) == kept[1]


@given(text=TEXTS, times=st.integers(1, 6))
def test_a_string_is_appended_to_itself(shared, text, times) -> None:
    """Both operands may be one object, with one reference or with more."""
    instance = shared()
    string, expected = instance.string(text), text
    for number in range(times):
        if number % 2:
            instance.retain(string)
            longer = instance.string_concat(string, string)
            instance.release(string)
            string = longer
        else:
            string = instance.string_concat(string, string)
        expected += expected
    assert take(instance, string) == expected
    assert instance.live == 0


def test_appending_to_a_string_of_one_reference_keeps_the_object(shared) -> None:
    """Where there is room the address stays, also for the room that the size class adds."""
    instance = shared()
    with Borrowed(instance, "x" * 100) as (part,):
        text = instance.string_concat(instance.string("a"), part)
        moves = 0
        for _ in range(1000):
            longer = instance.string_concat(text, part)
            moves += longer != text
            text = longer
        assert moves < 20
        assert take(instance, text) == "a" + "x" * 100 * 1001


@pytest.mark.parametrize("part", ["x", "0123456789", "é🎉"])
def test_appending_in_a_loop_is_linear(shared, part) -> None:
    """A million bytes in small steps arrive in time and in order."""
    instance = shared()
    with Borrowed(instance, part) as (string,):
        times = 1_000_000 // len(part.encode())
        assert take(instance, instance.append_often(string, times)) == part * times


# Comparing


@given(a=BYTES, b=BYTES, cut=st.integers(0, 40))
def test_equality_and_order_are_those_of_bytes(shared, a, b, cut) -> None:
    """Two byte sequences compare as in Python, also when they begin alike."""
    instance = shared()
    b = a[:cut] + b
    with Borrowed(instance, a, b) as (x, y):
        assert instance.string_eq(x, y) == (a == b)
        assert instance.string_eq(x, x) == 1
        assert instance.string_compare(x, y) == sign((a > b) - (a < b))
        assert instance.string_compare(x, x) == 0


@given(size=st.integers(1, 40), place=st.integers(0, 39), byte=st.integers(1, 255))
def test_one_differing_byte_is_seen_wherever_it_is(shared, size, place, byte) -> None:
    """Equality, order and hash depend on each byte of a string of any length."""
    instance = shared()
    a = bytes(range(size))
    b = bytearray(a)
    b[place % size] ^= byte
    with Borrowed(instance, a, bytes(b)) as (x, y):
        assert not instance.string_eq(x, y)
        assert instance.string_compare(x, y) == (-1 if a < b else 1)
        assert instance.string_hash(x) != instance.string_hash(y)


def test_hashes_fill_a_table_evenly(shared) -> None:
    """Of hashes of similar keys, the low bits and the high bits collide as chance has it."""
    instance = shared()
    for form in ("{}", "key{:04}", "{:08}", "{:030}", "{}suffix"):
        hashes = []
        for number in range(512):
            string = instance.string(form.format(number))
            hashes.append(instance.string_hash(string) & 0xFFFF_FFFF)
            instance.release(string)
        for shift in (0, 23):
            used = len({value >> shift & 511 for value in hashes})
            # 512 (1 - 1/e) = 324 are expected; the deviation is about ten.
            assert 324 - 60 < used < 324 + 60


def test_the_hash_of_a_text_is_fixed(shared) -> None:
    """Hashes do not depend on where a string lies."""
    instance = shared()
    for text in ("", "a", "abc", "hello world, this is long"):
        with Borrowed(instance, text, text) as (x, y):
            assert x != y
            assert instance.string_hash(x) == instance.string_hash(y)


# Code points


@given(text=TEXTS.filter(bool))
def test_each_code_point_is_found(shared, text) -> None:
    """Indexing gives the code points; those of ASCII are objects that exist already."""
    instance = shared()
    with Borrowed(instance, text) as (string,):
        for index, char in enumerate(text):
            before = instance.live
            found = instance.string_at(string, index)
            assert (instance.live == before) == char.isascii()
            assert take(instance, found) == char


@given(text=TEXTS)
def test_iterating_gives_the_code_points(shared, text) -> None:
    """From offset 0, each next offset leads to the next code point, until the length in bytes."""
    instance = shared()
    with Borrowed(instance, text) as (string,):
        offset, found = 0, ""
        while offset != len(text.encode()):
            found += take(instance, instance.string_char_at_offset(string, offset))
            offset = instance.string_next(string, offset)
        assert found == text


@given(text=TEXTS, low=INDICES, high=INDICES)
def test_slices_clamp_and_count_from_the_end(shared, text, low, high) -> None:
    """A slice has what Python's has: negative bounds get the length added, and all are clamped."""
    instance = shared()
    with Borrowed(instance, text) as (string,):
        assert take(instance, instance.string_slice(string, low, high)) == text[low:high]


def test_long_texts_are_indexed_far_inside(shared) -> None:
    """Code points are counted eight bytes at a time without missing one."""
    instance = shared()
    text = "aé€🎉" * 100 + "end"
    with Borrowed(instance, text) as (string,):
        for index in range(0, len(text), 7):
            assert take(instance, instance.string_at(string, index)) == text[index]
            part = instance.string_slice(string, index, index + 30)
            assert take(instance, part) == text[index : index + 30]


@given(data=BYTES, low=INDICES, high=INDICES)
def test_bytes_that_are_no_text_stay_bytes(shared, data, low, high) -> None:
    """Whatever bytes a string has: slices are parts of it, and nothing outside is touched."""
    instance = shared()
    count = sum(byte & 0xC0 != 0x80 for byte in data)
    with Borrowed(instance, data, b"\x80") as (string, separator):
        for operation in (
            instance.string_slice(string, low, high),
            instance.string_trim(string),
        ):
            assert instance.bytes_of(operation) in data
            instance.release(operation)
        reverse = instance.string_reverse(string)
        assert sorted(instance.bytes_of(reverse)) == sorted(data)
        instance.release(reverse)
        for index in range(count):
            found = instance.string_at(string, index)
            assert instance.bytes_of(found) in data
            instance.release(found)
        parts = instance.string_split(string, separator)
        assert sum(len(part) for part in parts_of(instance, parts)) + (
            len(parts_of(instance, parts)) - 1
        ) == len(data)
        instance.release(parts)


def parts_of(instance, parts):
    """Return the bytes of the strings of a list."""
    count = instance.word(parts + layout.LIST_LEN)
    slots = instance.memory(parts + layout.LIST_DATA, 4 * count)
    return [instance.bytes_of(string) for string in struct.unpack(f"<{count}I", slots)]


def test_single_bytes_are_strings(shared) -> None:
    """ASCII characters are static objects, as empty results are; other bytes are made."""
    instance = shared()
    for byte in range(256):
        string = instance.string_of_byte(byte)
        assert instance.bytes_of(string) == bytes([byte])
        assert instance.live == (byte >= 128)
        instance.release(string)
    assert take(instance, instance.string_of_bool(1)) == "true"
    assert take(instance, instance.string_of_bool(0)) == "false"


# Searching and taking apart


@given(text=TEXTS, part=PARTS, low=st.integers(0, 20), size=st.integers(0, 9))
def test_searches_find_what_python_finds(shared, text, part, low, size) -> None:
    """Containing, first index, prefix and suffix, of parts that occur and of others."""
    instance = shared()
    for wanted in (part, text[low : low + size], text[:size], text[-size:]):
        with Borrowed(instance, text, wanted) as (x, y):
            assert instance.string_contains(x, y) == (wanted in text)
            assert instance.string_index_of(x, y) == text.find(wanted)
            assert instance.string_starts_with(x, y) == text.startswith(wanted)
            assert instance.string_ends_with(x, y) == text.endswith(wanted)


@given(size=st.integers(0, 40), place=st.integers(0, 40))
def test_a_byte_is_found_at_every_place(shared, size, place) -> None:
    """Eight bytes at a time miss none, and see none that is not there."""
    instance = shared()
    for filler in "\x00\x01`b\x7f":
        text = filler * size + "a" + filler * place
        with Borrowed(instance, text, "a", "aa") as (x, y, none):
            assert instance.string_index_of(x, y) == size
            assert instance.string_index_of(x, none) == -1


@given(text=TEXTS)
def test_trimming_takes_white_space_off_both_ends(shared, text) -> None:
    """What Unicode calls white space goes, and what is inside stays."""
    instance = shared()
    with Borrowed(instance, text) as (string,):
        assert take(instance, instance.string_trim(string)) == text.strip(SPACE)


def test_white_space_is_that_of_unicode(shared) -> None:
    """Each code point of the basic plane is white space or not."""
    instance = shared()
    for code in [*range(0x300), *range(0x1600, 0x1700), *range(0x1FF0, 0x2070), 0x3000, 0xFEFF]:
        with Borrowed(instance, f"{chr(code)}x{chr(code)}") as (string,):
            text = take(instance, instance.string_trim(string))
            assert (text == "x") == (chr(code) in SPACE), hex(code)


@given(text=TEXTS, separator=PARTS)
def test_splitting_and_joining_are_inverse(shared, text, separator) -> None:
    """An empty separator gives the code points; joining the parts gives the text."""
    instance = shared()
    with Borrowed(instance, text, separator) as (string, between):
        parts = instance.string_split(string, between)
        assert read(instance, parts) == (text.split(separator) if separator else list(text))
        assert take(instance, instance.string_join(parts, between)) == text
        instance.release(parts)


# Repeating, turning round and padding


@given(text=TEXTS, times=st.integers(-2, 20))
def test_repetitions_follow_each_other(shared, text, times) -> None:
    """Less than one repetition is the empty string."""
    instance = shared()
    with Borrowed(instance, text) as (string,):
        assert take(instance, instance.string_repeat(string, times)) == text * times


@given(text=TEXTS)
def test_reversing_turns_code_points_round(shared, text) -> None:
    """Code points of several bytes stay whole."""
    instance = shared()
    with Borrowed(instance, text) as (string,):
        assert take(instance, instance.string_reverse(string)) == text[::-1]


@given(text=TEXTS, count=st.integers(-3, 60), padding=PARTS)
def test_padding_comes_before_and_is_cut(shared, text, count, padding) -> None:
    """The padding repeats and ends where the text begins; an empty one is a space."""
    instance = shared()
    before = ((padding or " ") * 60)[: max(0, count - len(text))]
    with Borrowed(instance, text, padding) as (string, pad):
        assert take(instance, instance.string_pad_start(string, count, pad)) == before + text


@pytest.mark.parametrize("times", [2**31, 2**40, 2**63 - 1])
def test_what_cannot_fit_memory_stops_the_program(runtime, times) -> None:
    """A size beyond all memory is an error, not a small string."""
    for function, arguments in (("string_repeat", ()), ("string_pad_start", ("x",))):
        instance = runtime(function)
        strings = [instance.string(text) for text in ("ab", *arguments)]
        message = instance.exhaustion(function, strings[0], times, *strings[1:])
        assert "out of memory" in message
