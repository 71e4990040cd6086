"""Tests of the one function that decides about color."""

from __future__ import annotations

import pytest

from mochi_rules.ui.color import use_color


@pytest.mark.parametrize(
    ("choice", "environment", "is_terminal", "want"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_color_is_decided_by_the_first_that_says_something(
    *, choice: str, environment: dict[str, str], is_terminal: bool, want: bool
) -> None:
    """The option goes before NO_COLOR, that before FORCE_COLOR, that before the terminal."""
    assert use_color(choice, environment, is_terminal=is_terminal) is want
