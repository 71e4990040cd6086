"""Writes outputs: each appears whole, or a diagnostic gives the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.files import is_stream, reason, write_through

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mochi_rules.steps.step import Step


def write_output(path: Path, data: bytes | Iterable[bytes], name: str, mode: int = 0o644) -> None:
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
        MochiError: As `write_output`, or there is a pipe or a device, which keeps no output.
    """
    if is_stream(path):
        message = f"cannot write `{name}`: it is a pipe or a device"
        raise environment_error("B014", message, help=f"move or remove `{name}`")
    write_output(path, data, name, step.mode)
    if step.has_digest:
        from mochi_rules.platforms.native_files import digest_path  # noqa: PLC0415 - of a tool only

        beside = digest_path(path)
        write_output(beside, digest_bytes(data).hash.encode(), str(beside))
