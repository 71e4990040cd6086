"""The one place where a MochiError becomes what SCons understands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import SCons.Errors

from mochi_rules.base.render import render_all
from mochi_rules.rules.faults import as_mochi_error

if TYPE_CHECKING:
    from mochi_rules.ui.console import Console

STATUS = 2  # of every failure of SCons


def scons_error(error: BaseException, console: Console, node: Any = None) -> BaseException:
    """Show an error, and return the exception to raise, or to return from an action.

    While a build runs, that is a BuildError of `node`: SCons reports the target, and goes on or
    stops as `-k` says. While build files are read there is no node, and SCons just ends.
    """
    diagnostics = as_mochi_error(error).diagnostics
    console.message(render_all(diagnostics, color=console.color))
    if node is None:
        return SystemExit(STATUS)
    count = len(diagnostics)
    text = diagnostics[0].code if count == 1 else f"{count} errors"
    result: BaseException = SCons.Errors.BuildError(
        node=node, errstr=text, status=STATUS, exitstatus=STATUS
    )
    return result


def interruption(node: Any) -> BaseException:
    """Return the error of a step that a signal ended: there is nothing to say about it."""
    error: BaseException = SCons.Errors.BuildError(
        node=node, errstr="interrupted", status=STATUS, exitstatus=STATUS
    )
    return error
