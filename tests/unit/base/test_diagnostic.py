"""Diagnostics: how they are collected, and what they do to the exit status."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import (
    Diagnostic,
    Diagnostics,
    MochiError,
    Severity,
    about,
    environment_error,
    fail,
)
from mochi_rules.base.span import Source, Span

A, B = Source("a.mochi", "one two"), Source("b.mochi", "one two")


def at(source: Source, start: int, code: str = "T001") -> Diagnostic:
    """Return an error at a place."""
    return Diagnostic(code, "wrong", Span(source, start, start + 1))


def test_errors_come_in_the_order_of_the_user() -> None:
    """By file and place, whatever was found first; those without a place come before them."""
    found = Diagnostics()
    whole = Diagnostic("T009", "wrong")
    for item in (at(B, 0), at(A, 4), at(A, 1), whole):
        found.add(item)
    assert found.errors == (whole, at(A, 1), at(A, 4), at(B, 0))


def test_one_code_at_one_place_is_kept_once() -> None:
    """Another code there is another mistake."""
    found = Diagnostics()
    for item in (at(A, 0), at(A, 0), at(A, 0, "T002")):
        found.add(item)
    assert [item.code for item in found] == ["T001", "T002"]


def test_warnings_are_no_errors() -> None:
    """They are shown, and stop nothing."""
    found = Diagnostics()
    found.add(Diagnostic("T025", "unknown", severity=Severity.WARNING))
    found.raise_errors()
    assert found.errors == ()
    assert len([*found]) == 1


def test_worst_fault_is_the_status() -> None:
    """A mistake of the user is 2, what the machine lacks is 3."""
    wrong, lacking = fail("A001", "wrong"), environment_error("C001", "lacking")
    assert (wrong.exit_status, lacking.exit_status) == (2, 3)
    assert MochiError(*wrong.diagnostics, *lacking.diagnostics).exit_status == 3


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (fail("A001", "wrong"), "A001: `x.wasm`: wrong"),
        (environment_error("C001", "lacking"), "C001: lacking"),
        (MochiError(at(A, 0)), "T001: wrong"),
    ],
)
def test_error_in_a_file_names_it(error, message) -> None:
    """Unless it has a place, or is not the file's fault."""
    with pytest.raises(MochiError) as caught, about("x.wasm"):
        raise error
    assert str(caught.value) == message
