"""Exceptions as diagnostics: those of the file system, and those of bugs."""

from __future__ import annotations

import os
import sys
import traceback

from mochi_rules import __version__
from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError, environment_error
from mochi_rules.base.files import reason


def as_mochi_error(error: BaseException) -> MochiError:
    """Return an exception as a MochiError: one of the file system names the file, others are bugs.

    Emits: B069 (the file system refuses), B073, X001 (internal error).
    """
    if isinstance(error, MochiError):
        return error
    if isinstance(error, OSError):
        name = f" `{error.filename}`" if error.filename else ""
        return environment_error("B069", f"cannot use the file{name}: {reason(error)}")
    if isinstance(error, MemoryError):
        help_ = "check that it is the file you mean, or raise `ulimit -v`"
        return environment_error("B073", "not enough memory", help=help_)
    trace = "".join(traceback.format_exception(error)).rstrip()
    is_debugging = os.environ.get("MOCHI_RULES_DEBUG")
    notes = (
        f"mochi_rules {__version__}, Python {sys.version.split()[0]}",
        trace if is_debugging else "`MOCHI_RULES_DEBUG=1` shows where",
    )
    message = f"internal error: {type(error).__name__}: {error}"
    return MochiError(Diagnostic("X001", message, notes=notes, fault=Fault.INTERNAL))
