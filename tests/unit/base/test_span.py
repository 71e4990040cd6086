"""Positions in a source."""

from __future__ import annotations

import pytest

from mochi_rules.base.span import Source, Span

TEXT = "let a = 1\r\n\nprint(é)"


@pytest.mark.parametrize(
    ("offset", "position"),
    [(0, (1, 1)), (4, (1, 5)), (11, (2, 1)), (12, (3, 1)), (18, (3, 7)), (len(TEXT), (3, 9))],
)
def test_position(offset, position) -> None:
    """Lines and columns start at 1; columns count code points; the end has a place too."""
    assert Source("a.mochi", TEXT).position(offset) == position


def test_line_has_no_line_break() -> None:
    """Neither that of Unix nor that of Windows."""
    source = Source("a.mochi", TEXT)
    assert [source.line(number) for number in (1, 2, 3)] == ["let a = 1", "", "print(é)"]


def test_span_shows_its_start() -> None:
    """In the form that editors open."""
    span = Span(Source("lib/a.mochi", TEXT), 18, 19)
    assert (str(span), span.text) == ("lib/a.mochi:3:7", "é")
