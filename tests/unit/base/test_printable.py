"""Strings of others, as a terminal may be sent them."""

from __future__ import annotations

import pytest

from mochi_rules.base.printable import output_notes, printable, shorten


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("naïve 日本 🍡", "naïve 日本 🍡"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\u202eb", r"a\u202eb"),
        ("a\ud800", r"a\ud800"),
        ("a\nb\t", r"a\nb\t"),
    ],
)
def test_what_steers_a_terminal_is_escaped(text, shown) -> None:
    """Control characters, turns of direction and lone surrogates; other scripts stay."""
    assert printable(text) == shown


def test_lines_may_be_kept() -> None:
    """What a tool printed has lines of its own, but no carriage return."""
    assert printable("a\n\tb\r\x07", keep_lines=True) == "a\n\tb\\r\\x07"


@pytest.mark.parametrize("limit", [5, 10, 11, 25])
def test_shortened_text_keeps_both_ends(limit) -> None:
    """It is exactly as long as allowed; the middle is what matters least in a path."""
    text = "abcdefghij" * 3
    short = shorten(text, limit)
    assert len(short) == limit
    head, _, tail = short.partition(" ... ")
    assert text.startswith(head)
    assert text.endswith(tail)


def test_short_text_stays() -> None:
    """Nothing is cut where nothing is too long."""
    assert shorten("abc", 3) == "abc"


def test_note_has_the_end_of_the_output() -> None:
    """There most programs say why they failed; blank lines are left out."""
    output = "".join(f"line {number}  \n\n" for number in range(20))
    [note] = output_notes("cargo", output)
    lines = note.split("\n")
    assert (lines[0], lines[1], lines[-1]) == ("output of cargo:", "    line 8", "    line 19")


def test_note_of_a_compiler_has_the_beginning() -> None:
    """The first error of a C compiler causes many of the others."""
    [note] = output_notes("cc", "\n".join(map(str, range(20))), at_start=True)
    assert note.split("\n")[1:] == [f"    {number}" for number in range(12)]


@pytest.mark.parametrize("output", ["", "\n \n"])
def test_without_output_there_is_no_note(output) -> None:
    """A program may fail silently."""
    assert output_notes("cc", output) == ()
