"""The one place where a MochiError becomes what SCons understands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import SCons.Errors

from mochi_rules.steps.exceptions import as_mochi_error

if TYPE_CHECKING:
    from mochi_rules.ui.console import Console

STATUS = 2  # of every failure of SCons


class ReportedError(SCons.Errors.BuildError):  # type: ignore[misc] # SCons has no types
    """The error of a step that was shown, so that SCons prints nothing."""

    def __init__(self, node: Any, text: str) -> None:
        super().__init__(node=node, errstr=text, status=STATUS, exitstatus=STATUS)


def scons_error(error: BaseException, console: Console, node: Any = None) -> BaseException:
    """Show an error, and return the exception to raise, or to return from an action.

    While a build runs, that is a ReportedError of `node`: SCons goes on or stops
    as `-k` says. While build files are read there is no node, and SCons just ends.
    """
    diagnostics = as_mochi_error(error).diagnostics
    console.report(diagnostics)
    if node is None:
        return SystemExit(STATUS)
    count = len(diagnostics)
    return ReportedError(node, diagnostics[0].code if count == 1 else f"{count} errors")


def interruption(node: Any) -> BaseException:
    """Return the error of a step that a signal ended: nothing is reported about it."""
    return ReportedError(node, "interrupted")
