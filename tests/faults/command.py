"""The command line in this process, as somebody types it."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

from mochi_rules.cli.main import main

INTERNAL = 70
FAILED = (1, 2, 3)


class Bug(Exception):  # noqa: N818 - what the product reports as its own
    """An internal error or a traceback."""


def typed(*words: object, is_program: bool = False) -> tuple[int, str]:
    """Run a command line; return its status and what it wrote to standard error.

    A program may end with any status and say nothing.

    Raises:
        Bug: It reports an internal error, or fails without a message.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        status = main([str(word) for word in words])
    out.flush()
    err.flush()
    shown = err.buffer.getvalue().decode("utf-8")
    if status == INTERNAL or "Traceback" in shown:
        raise Bug(f"{words[0]}: {' | '.join(shown.split(chr(10))[-8:])}")
    if not is_program and status in FAILED and not (shown or out.buffer.getvalue()):
        raise Bug(f"{words[0]}: status {status} without a message")
    return status, shown
