"""Diagnostics on a terminal: what they name steers nothing, and long lines are cut."""

from __future__ import annotations

import json

import pytest

from mochi_rules.base.diagnostic import Diagnostic, Label
from mochi_rules.base.render import render, render_json
from mochi_rules.base.span import Source, Span

HOSTILE = "\x1b[31m\x9b2J\u202e\u2028\x07\udc80"
ESCAPED = "\\x1b[31m\\x9b2J\\u202e\\u2028\\x07\\udc80"


def test_everything_that_is_named_is_escaped() -> None:
    """Message, place, source, labels, notes and help; the carets still stand below their text."""
    source = Source(f"a{HOSTILE}.mochi", f'let {HOSTILE} = 1 + "ü"\n')
    other = Source(f"b{HOSTILE}.mochi", "x\n")
    start = source.text.index('"')
    shown = render(
        Diagnostic(
            "T001",
            f"message {HOSTILE}",
            Span(source, start, start + 3),
            f"label {HOSTILE}",
            (Label(Span(source, 0, 3), f"here {HOSTILE}"), Label(Span(other, 0, 1), HOSTILE)),
            (f"note {HOSTILE}\n\tnext line",),
            f"help {HOSTILE}",
        )
    )
    line = f'let {ESCAPED} = 1 + "ü"'
    assert shown == (
        f"error[T001]: message {ESCAPED}\n"
        f"  --> a{ESCAPED}.mochi:1:{start + 1}\n"
        "   |\n"
        f" 1 | {line}\n"
        f"   | {' ' * line.index(chr(34))}^^^ label {ESCAPED}\n"
        f"   | --- here {ESCAPED}\n"
        f"  --> b{ESCAPED}.mochi:1:1: {ESCAPED}\n"
        f"note: note {ESCAPED}\n\tnext line\n"
        f"help: help {ESCAPED}\n"
    )


@pytest.mark.parametrize(("before", "after"), [(10**6, 10**6), (0, 10**6), (10**6, 0), (50, 170)])
def test_long_line_is_cut_around_the_caret(before: int, after: int) -> None:
    """Dots stand for what is left out, on either side."""
    source = Source("a.mochi", "a" * before + "oops" + "b" * after)
    shown = render(Diagnostic("T001", "message", Span(source, before, before + 4)))
    *_, line, carets = shown.splitlines()
    assert line[carets.index("^") : carets.rindex("^") + 1] == "oops"
    assert len(line) < 220
    assert line.startswith(" 1 | ...a") is (before > 50)
    assert line.endswith("b...") is (after > 0)


def test_labels_far_apart_in_a_long_line_are_shown_one_by_one() -> None:
    """Each with its own part of the line."""
    source = Source("a.mochi", "first" + " " * 10**6 + "second")
    first, second = Span(source, 0, 5), Span(source, len(source.text) - 6, len(source.text))
    shown = render(Diagnostic("T001", "message", second, "here", (Label(first, "there"),)))
    assert len(shown) < 1000
    assert "1 | first" in shown
    assert "\n   | ----- there\n" in shown
    assert "second\n" in shown


def test_long_span_is_underlined_as_far_as_it_is_shown() -> None:
    """The carets end where the line is cut."""
    source = Source("a.mochi", "x" * 10**6)
    assert len(render(Diagnostic("T001", "message", Span(source, 5, 10**6)))) < 600


def test_long_message_is_cut_in_its_middle() -> None:
    """A name of a million characters has a beginning and an end."""
    shown = render(Diagnostic("T001", "`" + "x" * 10**6 + "` is not there", notes=("y" * 10**6,)))
    assert shown.startswith("error[T001]: `xxx")
    assert " ... " in shown
    assert "xxx` is not there\n" in shown
    assert len(shown) < 5000


def test_wide_characters_and_tabs_keep_the_carets_in_place() -> None:
    """A wide character takes two cells, a tab goes to the next multiple of four."""
    source = Source("a.mochi", "\t日本 x\n")
    *_, line, carets = render(Diagnostic("T001", "message", Span(source, 4, 5))).splitlines()
    assert line == " 1 |     日本 x"
    assert carets == "   | " + " " * 9 + "^"


def test_json_is_ascii() -> None:
    """Nothing in it steers a terminal, and it holds all that there was."""
    text = render_json(Diagnostic("T001", f"message {HOSTILE}"))
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["message"] == f"message {HOSTILE}"
