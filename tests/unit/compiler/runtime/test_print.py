"""What print and str show."""

from __future__ import annotations

import ast
import struct
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from values import ANY_MAP, BASICS, INTS, VALUES, IntMap, Struct, Typed, build

from mochi_rules.compiler.lower import object_layout as layout

RUNTIME = (
    *BASICS, "print_int", "print_float", "print_bool", "print_string", "print_any", "print_space",
    "print_newline", "print_trimmed", "text_of_any", "string_of_any", "is_printable", "retain",
)  # fmt: skip
P = Struct("P", {"x": 1, "name": "q", "Z": 2.0})


def shown(instance, function, value):
    """Return the text of a value; nothing may leak."""
    word = build(instance, value)
    text = getattr(instance, function)(word)
    result = instance.text(text)
    instance.release(word)
    instance.release(text)
    assert instance.live == 0
    return result


FORMS = [
    # value, as print shows it, as str shows it
    (None, "nil", "<nil>"),
    (True, "true", "true"),
    (-7, "-7", "-7"),
    (2**40, str(2**40), str(2**40)),
    (3.0, "3", "3"),
    (1e6, "1e+06", "1e+06"),
    ("a\nb", "a\nb", "a\nb"),
    ("", "", ""),
    ([], "[]", "[]"),
    ([1, 2], "[1, 2]", "[1 2]"),
    ([1.0, 2.5, 1e6], "[1.0, 2.5, 1000000.0]", "[1 2.5 1e+06]"),
    (["a b", None, True], '["a b", nil, true]', "[a b <nil> true]"),
    ([[1], [], ["x"]], '[[1], [], ["x"]]', "[[1] [] [x]]"),
    ({}, "{}", "map[]"),
    ({"b": 1, "a": [1.0]}, '{"a": [1.0], "b": 1}', "map[a:[1] b:1]"),
    (
        IntMap({10: "x", 9: "y", 1: None}),
        '{"1": nil, "10": "x", "9": "y"}',
        "map[1:<nil> 10:x 9:y]",
    ),
    (Typed(int, [1, -(2**63)]), f"[1, {-(2**63)}]", f"[1 {-(2**63)}]"),
    (Typed(float, [0.5, 3.0]), "[0.5, 3.0]", "[0.5 3]"),
    (Typed(bool, [True, False]), "[true, false]", "[true false]"),
    (P, '{"Z": 2.0, "__name": "P", "name": "q", "x": 1}', "map[Z:2 __name:P name:q x:1]"),
    (Struct("Leaf"), '{"__name": "Leaf"}', "map[__name:Leaf]"),
]


@pytest.mark.parametrize(("value", "printed", "text"), FORMS)
def test_values_have_two_forms(shared, value, printed, text) -> None:
    """Print quotes inside structures and separates with commas, str does neither."""
    instance = shared()
    assert shown(instance, "text_of_any", value) == printed
    assert shown(instance, "string_of_any", value) == text


@pytest.mark.parametrize(("value", "printed", "text"), FORMS)
def test_print_puts_out_the_same(runtime, value, printed, text) -> None:
    """What print puts out is the text of its argument."""
    instance = runtime(*RUNTIME)
    word = build(instance, value)
    instance.print_any(word)
    instance.print_newline()
    instance.release(word)
    assert instance.printed() == printed + "\n"
    assert instance.live == 0


def test_scalars_are_printed_by_type(runtime) -> None:
    """Typed arguments need no tags; the separators are functions, too."""
    instance = runtime(*RUNTIME)
    instance.print_int(-(2**63))
    instance.print_space()
    instance.print_float(2.0)
    instance.print_space()
    instance.print_bool(1)
    instance.print_newline()
    instance.print_string(word := build(instance, " é "))
    instance.release(word)
    assert instance.printed() == f"{-(2**63)} 2 true\n é "
    assert instance.live == 0


@given(values=st.lists(INTS, max_size=50))
def test_every_int_is_printed(shared, values) -> None:
    """Ints come out in decimal, wherever in the buffer they meet its end."""
    instance = shared()
    before = len(instance.printed())
    for value in values:
        instance.print_int(value)
        instance.print_newline()
    assert instance.printed()[before:] == "".join(f"{value}\n" for value in values)


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 10_000])
def test_output_of_any_size_keeps_its_order(runtime, size) -> None:
    """What does not fit the buffer is written after what is in it."""
    instance = runtime(*RUNTIME)
    word = build(instance, "x" * size)
    for _ in range(3):
        instance.print_int(7)
        instance.print_string(word)
        instance.print_newline()
    instance.release(word)
    assert instance.printed() == f"7{'x' * size}\n" * 3


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  a b \t", "a b"),
        ("\u00a0\u2003é\u3000\n", "é"),
        ("   ", ""),
        ("", ""),
        ("\u200ba", "\u200ba"),
    ],
)
def test_lines_are_trimmed(runtime, line, expected) -> None:
    """A line of three arguments or more loses the white space at its ends, as Unicode has it."""
    instance = runtime(*RUNTIME)
    word = build(instance, line)
    instance.print_trimmed(word)
    instance.release(word)
    assert instance.printed() == expected + "\n"
    assert instance.live == 0


# Quoting


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        (b'a"b\\c', r'"a\"b\\c"'),
        (b"\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        (b"\0\x1b\x7f", r'"\x00\x1b\x7f"'),
        ("é日😀".encode(), '"é日😀"'),
        ("\u200b\ufeff\u00a0\u2028".encode(), r'"\u200b\ufeff\u00a0\u2028"'),
        ("\U000e0001\U000f0000".encode(), r'"\U000e0001\U000f0000"'),
        ("\ue000\u0085".encode(), r'"\ue000\u0085"'),
        (b"\xff\x80a\xc3", r'"\xff\x80a\xc3"'),
        (b"\xc0\x80", r'"\xc0\x80"'),
        (b"\xed\xa0\x80", r'"\xed\xa0\x80"'),
        (b"\xe2\x82", r'"\xe2\x82"'),
        (b"\xf4\x90\x80\x80", r'"\xf4\x90\x80\x80"'),
        (b"\xc3\xa9\xa9", r'"é\xa9"'),
        (b"\xf5\x80\x80\x80\x80", r'"\xf5\x80\x80\x80\x80"'),
        (b"\xe0\x80\x80", r'"\xe0\x80\x80"'),
    ],
)
def test_strings_are_quoted_as_go_does(shared, text, quoted) -> None:
    """Escapes for what cannot be printed, and for each byte that is no UTF-8."""
    assert shown(shared(), "text_of_any", [text]) == f"[{quoted}]"


@given(text=st.text())
def test_quoted_strings_read_back(shared, text) -> None:
    """A quoted string means the same in Python."""
    assert ast.literal_eval(shown(shared(), "text_of_any", [text])) == [text]


def test_printable_code_points_are_those_of_unicode(shared) -> None:
    """Assigned code points are printable by category, but for 19 format characters."""
    instance = shared()
    exceptions = []
    for code in [*range(128, 0x3100), *range(0xD7F0, 0x12000, 3), *range(0xE0000, 0xE0200)]:
        category = unicodedata.category(chr(code))
        if category not in ("Cn", "Cs") and instance.is_printable(code) != (category[0] in "LMNPS"):
            exceptions.append(category)
    assert set(exceptions) <= {"Cf"}
    assert len(exceptions) < 19


# Structures in structures


def test_structures_that_contain_themselves_are_printed(shared) -> None:
    """At the repeat there are three dots; the same map is printed again where it is not inside."""
    instance = shared()
    m, name = instance.map_make(ANY_MAP), instance.string("m")
    entry = instance.map_insert_string(m, name)
    instance.poke(entry + layout.ENTRY_VALUE, (m & 0xFFFF_FFFF).to_bytes(4, "little"))
    instance.retain(m)
    instance.retain(m)
    xs = instance.list_append_ref(instance.list_append_ref(build(instance, []), m), m)
    text = instance.text_of_any(xs)
    assert instance.text(text) == '[{"m": {...}}, {"m": {...}}]'
    assert instance.word(m + layout.RC) == 3


def test_a_list_in_itself(shared) -> None:
    """A list that is its own element shows dots once."""
    instance = shared()
    xs = build(instance, [1, 2])
    instance.poke(xs + layout.LIST_DATA + 4, (xs & 0xFFFF_FFFF).to_bytes(4, "little"))
    text = instance.text_of_any(xs)
    assert instance.text(text) == "[1, [...]]"
    text = instance.string_of_any(xs)
    assert instance.text(text) == "[1 [...]]"


@pytest.mark.parametrize("function", ["print_any", "text_of_any", "string_of_any"])
def test_deep_nesting_stops_the_program(runtime, function) -> None:
    """Too many lists in lists are an error; what was printed before is still written."""
    instance = runtime(*RUNTIME)
    instance.print_int(42)
    xs = build(instance, [])
    for _ in range(2000):
        xs = instance.list_append_ref(instance.list_make(0, layout.SLOT_REF), xs)
    error = instance.failure(function, xs)
    assert error == "error: value is nested too deeply\n"
    assert instance.out.read_text().startswith("42")


@given(value=VALUES)
def test_texts_are_made_of_texts(shared, value) -> None:
    """The text of a list of a value has the value's text in brackets."""
    instance = shared()
    inner = shown(instance, "string_of_any", [value])
    assert shown(instance, "string_of_any", [[value]]) == f"[{inner}]"


def test_functions_are_printed(shared) -> None:
    """A function is <function> on its own and nil in a list."""
    instance = shared()
    descriptor = instance.block_make(layout.DESCRIPTOR_FIELDS)
    instance.poke(descriptor, struct.pack("<IIIIII", 16, 0, 0, 0, 0, 0))
    closure = instance.object_make(16, descriptor | layout.KIND_CLOSURE)
    text = instance.text_of_any(closure)
    assert instance.text(text) == "<function>"
    xs = instance.list_append_ref(build(instance, []), closure)
    printed, plain = instance.text_of_any(xs), instance.string_of_any(xs)
    assert (instance.text(printed), instance.text(plain)) == ("[nil]", "[<function>]")
    for word in (text, xs, printed, plain):
        instance.release(word)
    assert instance.live == 0
