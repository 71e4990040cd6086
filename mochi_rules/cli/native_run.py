"""`mochi-rules run --native`: be a program that needs no Wasmtime."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.signals import ENDING, handling
from mochi_rules.cli.native_products import open_native
from mochi_rules.cli.products import kind_of
from mochi_rules.steps.step import EXECUTABLE_MODE

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed

_PASSED_ON = [number for number in ENDING if number != signal.SIGINT]
_SIGNALLED = 128  # and the number of the signal, as a shell has it


def run_native(parsed: Parsed) -> int:
    """Link a program, run it, and return its exit status.

    Emits: B070 (not Mochi, or `--dir`); as `NativeProducts.executable`.
    """
    path = Path(parsed.operands[0])
    if kind_of(path) != ".mochi":
        raise fail("B070", f"`--native` applies only to `.mochi` files, not to `{path}`")
    if parsed.has("dir"):
        help_ = "leave out `--dir`: a native program sees all files"
        raise fail("B070", "`--dir` does not apply to a native program", help=help_)
    with open_native(parsed, path) as products:
        data = products.executable()
    with tempfile.TemporaryDirectory(prefix="mochi-run-") as folder:
        program = Path(folder, path.stem)
        program.write_bytes(data)
        program.chmod(EXECUTABLE_MODE)
        with subprocess.Popen([program, *parsed.arguments]) as process:
            status = _wait(process)
    return status if status >= 0 else _SIGNALLED - status


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Return how a program ended; it gets the signals that would end this process alone."""
    with handling(dict.fromkeys(_PASSED_ON, lambda number, _: process.send_signal(number))):
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.kill()
            raise
