"""Code points and case mapping of the runtime library, against Python's Unicode data."""

from __future__ import annotations

import struct
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.runtime import tables

RUNTIME = ("string_upper", "string_lower", "code_point", "map_cases", "round_trips")
SOURCE = """
fun map_cases(at: word, is_upper: bool): void {
  let table = if is_upper then address("upper_cases") else address("lower_cases")
  var code: word = 0
  while code < 1114112 {
    store32(at + code * 4, case_of(table, code))
    code = code + 1
  }
}

fun round_trips(at: word): word {
  var code: word = 0
  while code < 1114112 && code_point(at, code_point_write(at, code) - at) == code {
    code = code + 1
  }
  return code
}
"""
SURROGATES = range(0xD800, 0xE000)
# Versions of Unicode whose case mapping is the pinned one.
PINNED = ("14.0.0", "15.0.0", "15.1.0")


def simple_case(code: int, method: str) -> int:
    """Return the simple mapping: where the full one is longer, that of the title case, or none."""
    char = chr(code)
    mapped = getattr(char, method)()
    if len(mapped) > 1:
        mapped = char.title() if method == "upper" else "i"  # the only one is U+0130
    return ord(mapped) if len(mapped) == 1 else code


@pytest.mark.parametrize("method", ["upper", "lower"])
def test_every_code_point_has_the_simple_case_of_unicode(shared, method) -> None:
    """All 1,114,112 code points map as in Unicode; where Python's is newer, those we know of."""
    instance = shared()
    at = instance.block_make(4 * 0x11_0000)
    instance.map_cases(at, method == "upper")
    mapped = struct.unpack(f"<{0x11_0000}I", instance.memory(at, 4 * 0x11_0000))
    exact = unicodedata.unidata_version in PINNED
    for code, found in enumerate(mapped):
        if code not in SURROGATES and (exact or found != code):
            assert found == simple_case(code, method), hex(code)


def test_code_points_are_read_as_they_are_written(shared) -> None:
    """UTF-8 of every code point, in one to four bytes, is decoded to it."""
    instance = shared()
    assert instance.round_trips(instance.block_make(16)) == 0x11_0000


@given(char=st.characters(exclude_categories=["Cs"]))
def test_code_points_are_those_of_utf8(shared, char) -> None:
    """What Python encodes is decoded to the same code point."""
    instance = shared()
    data = char.encode()
    at = instance.block_make(16)
    instance.poke(at, data)
    assert instance.code_point(at, len(data)) == ord(char)


@given(
    text=st.text(
        st.characters(exclude_categories=["Cs"]) | st.sampled_from("aZß\u017f\u0131İǆKµΩé")
    )
)
def test_texts_change_their_case(shared, text) -> None:
    """Each code point is mapped for itself, also where it gets shorter or longer."""
    instance = shared()
    string = instance.string(text)
    if unicodedata.unidata_version in PINNED:
        for method, function in (
            ("upper", instance.string_upper),
            ("lower", instance.string_lower),
        ):
            found = function(string)
            expected = "".join(chr(simple_case(ord(char), method)) for char in text)
            assert instance.text(found) == expected
            instance.release(found)
    instance.release(string)
    assert instance.live == 0


@given(size=st.integers(0, 40), start=st.integers(0, 127))
def test_ascii_changes_its_case_eight_bytes_at_a_time(shared, size, start) -> None:
    """Letters change, and nothing else does, at every place of a word of memory."""
    instance = shared()
    text = "".join(chr((start + place * 7) % 128) for place in range(size))
    string = instance.string(text)
    for function, expected in (
        (instance.string_upper, text.upper()),
        (instance.string_lower, text.lower()),
    ):
        found = function(string)
        assert instance.text(found) == expected
        instance.release(found)
    instance.release(string)


@given(data=st.binary(max_size=40))
def test_bytes_that_are_no_text_keep_their_length_or_grow_by_half(shared, data) -> None:
    """No sequence of bytes is mapped beyond the room there is for it."""
    instance = shared()
    string = instance.string(data)
    for function in (instance.string_upper, instance.string_lower):
        found = function(string)
        assert len(instance.bytes_of(found)) <= instance.word(found + layout.STRING_CAP)
        instance.release(found)
    instance.release(string)
    assert instance.live == 0


@pytest.mark.parametrize("table", [tables.upper_cases, tables.lower_cases])
def test_rows_of_cases_are_in_order_and_apart(table) -> None:
    """Searching by halves needs rows that begin behind the end of the one before."""
    data = table()
    (count,) = struct.unpack_from("<I", data)
    assert len(data) == 8 + 8 * count
    end = -1
    for row, _ in struct.iter_unpack("<Ii", data[8:]):
        first = row & 0x1F_FFFF
        assert first > end
        end = first + (row >> 21 & 0x3FF)
