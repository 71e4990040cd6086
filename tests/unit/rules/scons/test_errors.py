"""What SCons gets instead of our errors, and what the user sees."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import SCons.Errors

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.rules.scons.errors import interruption, scons_error

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE, TWO = Diagnostic("T002", "undefined variable: `x`"), Diagnostic("T003", "unknown function")


@pytest.fixture
def console() -> Any:
    """Return a console that keeps the codes that it reports."""
    reported: list[str] = []

    def report(diagnostics: Sequence[Diagnostic]) -> None:
        reported.extend(item.code for item in diagnostics)

    return SimpleNamespace(report=report, reported=reported)


@pytest.mark.parametrize(("found", "text"), [([ONE], "T002"), ([ONE, TWO], "2 errors")])
def test_failed_step_is_reported_once(console: Any, found: list[Diagnostic], text: str) -> None:
    """SCons gets a summary, which it does not print; the console shows the diagnostics."""
    error = scons_error(MochiError(*found), console, node="app.wasm")
    assert isinstance(error, SCons.Errors.BuildError)
    assert (error.node, error.errstr, error.exitstatus) == ("app.wasm", text, 2)
    assert console.reported == [item.code for item in found]


def test_error_in_a_build_file_ends_scons(console: Any) -> None:
    """There is no node to fail while SConscripts are read."""
    error = scons_error(MochiError(ONE), console)
    assert isinstance(error, SystemExit)
    assert error.code == 2
    assert console.reported == ["T002"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(OSError(28, "no space", "a.o"), "B069"), (MemoryError(), "B073"), (KeyError("a"), "X001")],
)
def test_any_exception_becomes_a_diagnostic(console: Any, error: Exception, code: str) -> None:
    """SCons would print a traceback."""
    assert scons_error(error, console, node="a.o").errstr == code
    assert console.reported == [code]


def test_interruption_reports_nothing() -> None:
    """The user knows that the build was interrupted."""
    error = interruption("app.wasm")
    assert isinstance(error, SCons.Errors.BuildError)
    assert (error.node, error.exitstatus) == ("app.wasm", 2)
