"""Tests of what makes a test fail, and what is said then."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.rules.guest import Ran
from mochi_rules.rules.testing import Case, check

CASE = Case("//app:app_test", timeout=2)


def fault(ran: Ran, expected: bytes | None = None) -> Diagnostic:
    """Return why a test failed."""
    with pytest.raises(MochiError) as caught:
        check(CASE, ran, expected)
    [found] = caught.value.diagnostics
    return found


def test_status_0_passes() -> None:
    """Without an expectation, what is printed does not matter."""
    check(CASE, Ran(0, b"anything", b""), None)


def test_expected_output_passes() -> None:
    """The output is compared to the byte."""
    check(CASE, Ran(0, b"1\n", b"a warning"), b"1\n")


def test_status_and_output_of_a_failure_are_shown() -> None:
    """What the program printed and said is the reason."""
    found = fault(Ran(3, b"one\ntwo\n", b"no\n"))
    assert found.message == "test `//app:app_test` failed: it ended with status 3"
    assert found.notes == ("it printed\n    one\n    two", "it said\n    no")


def test_end_of_long_output_is_shown() -> None:
    """A program fails at its end."""
    found = fault(Ran(1, b"x\n" * 50 + b"last\n", b""))
    lines = found.notes[0].splitlines()
    assert (lines[1], lines[-1], len(lines)) == ("    ... 31 lines before", "    last", 22)


def test_difference_to_the_expected_output_is_shown() -> None:
    """As a unified diff."""
    found = fault(Ran(0, b"a\nc\n", b""), b"a\nb\n")
    assert found.message.endswith("failed: it printed something else than expected")
    assert "    -b\n    +c" in found.notes[0]


def test_difference_in_line_ends_is_told_in_words() -> None:
    """A diff would show two equal lines."""
    found = fault(Ran(0, b"a\r\n", b""), b"a\n")
    assert found.notes == ("the two differ in their line ends only",)


def test_time_that_is_up_is_told() -> None:
    """The limit is in the message."""
    assert fault(Ran(None, b"", b"")).message.endswith("failed: it ran longer than 2 s")
