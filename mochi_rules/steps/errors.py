"""Errors of others as ours: of the file system, and of our own mistakes."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

from mochi_rules import __version__
from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError, environment_error
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.files import reason, write_through

if TYPE_CHECKING:
    from pathlib import Path

    from mochi_rules.steps.step import Step


def as_mochi_error(error: BaseException) -> MochiError:
    """Return an error as ours: one of the file system names the file, any other is a bug.

    Emits: B069 (the file system refuses), X001 (internal error).
    """
    if isinstance(error, MochiError):
        return error
    if isinstance(error, OSError):
        name = f" `{error.filename}`" if error.filename else ""
        return environment_error("B069", f"cannot use the file{name}: {reason(error)}")
    trace = "".join(traceback.format_exception(error)).rstrip()
    is_debugging = os.environ.get("MOCHI_RULES_DEBUG")
    notes = (
        f"mochi_rules {__version__}, Python {sys.version.split()[0]}",
        trace if is_debugging else "`MOCHI_RULES_DEBUG=1` shows where",
    )
    message = f"internal error: {type(error).__name__}: {error}"
    return MochiError(Diagnostic("X001", message, notes=notes, fault=Fault.INTERNAL))


def write_output(path: Path, data: bytes, name: str, mode: int = 0o644) -> None:
    """Write a file as `write_through` does; `name` is what messages call it.

    Emits: B014.

    Raises:
        MochiError: It cannot be written; what was there before still is.
    """
    try:
        write_through(path, data, mode)
    except (OSError, ValueError) as error:
        message = f"cannot write `{name}`: {reason(error)}"
        raise environment_error("B014", message) from None


def place(step: Step, path: Path, data: bytes, name: str) -> None:
    """Write the output of a step, and its digest where it has one.

    Emits: B014.

    Raises:
        MochiError: As `write_output`.
    """
    write_output(path, data, name, step.mode)
    if step.has_digest:
        from mochi_rules.platforms.native import digest_path  # noqa: PLC0415 - of a tool only

        beside = digest_path(path)
        write_output(beside, digest_bytes(data).hash.encode(), str(beside))
