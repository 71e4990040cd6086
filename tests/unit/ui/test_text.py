"""Tests of numbers as people read them."""

from __future__ import annotations

import pytest

from mochi_rules.ui.text import elide_middle, seconds_text, size_text


@pytest.mark.parametrize(
    ("size", "want"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9949, "9.9 kB"),
        (9999, "10 kB"),
        (214_000, "214 kB"),
        (999_600, "1.0 MB"),
        (5_400_000_000, "5.4 GB"),
        (10**18, "1000000 TB"),
    ],
)
def test_size_has_two_or_three_digits_and_a_unit(size: int, want: str) -> None:
    """A size changes its unit where it would get a fourth digit."""
    assert size_text(size) == want


@pytest.mark.parametrize(
    ("seconds", "want"),
    [(0.004, "0.00s"), (0.04, "0.04s"), (0.1, "0.1s"), (1.24, "1.2s"), (59.94, "59.9s"),
     (59.96, "1m00s"), (125, "2m05s"), (3725, "62m05s")],
)  # fmt: skip
def test_seconds_are_short(seconds: float, want: str) -> None:
    """A time is tenths of a second, and from a minute on minutes and seconds."""
    assert seconds_text(seconds) == want


@pytest.mark.parametrize(
    ("width", "want"),
    [(20, "abcdefghij"), (10, "abcdefghij"), (9, "abc...hij"), (5, "a...j"), (2, "ab"), (0, "")],
)
def test_elided_text_fits(width: int, want: str) -> None:
    """The middle goes first, and the text is never wider than asked for."""
    assert elide_middle("abcdefghij", width) == want
