"""Processes of ours that end when the one that started them does, however it ends.

Each inherits the reading end of a pipe which is never written to: when its parent has died, the
pipe is closed, and a thread of the child sees that. Windows passes no pipes on in this way; there
a child ends when it next uses its standard streams.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from mochi_rules.base.isolation import IMPORT_ROOT, isolated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VARIABLE = "MOCHI_RULES_LIFELINE"  # the number of the descriptor
_HAS_PIPES = os.name == "posix"
_BOOTSTRAP = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from mochi_rules.base.lifeline import supervise; sys.exit(supervise(sys.argv[2:]))"
)


def tied(environment: Mapping[str, str], *, hears_terminal: bool = True) -> dict[str, Any]:
    """Return the options of `Popen` with which a child can call `end_with_parent`.

    Unless it `hears_terminal`, Ctrl-C there reaches this process alone, which decides what ends.
    """
    if not _HAS_PIPES:
        return {"env": dict(environment)}
    reading, _ = _pipe()
    options = {"env": {**environment, _VARIABLE: str(reading)}, "pass_fds": (reading,)}
    return options if hears_terminal else options | {"process_group": 0}


@cache
def _pipe() -> tuple[int, int]:
    return os.pipe()  # its writing end is inherited by nobody, and closed by our end alone


def end_with_parent() -> None:
    """From now on, end this process by SIGTERM when its parent has died."""
    number = os.environ.pop(_VARIABLE, "")
    if not number.isdecimal():
        return
    lifeline, main = int(number), threading.main_thread().ident
    assert main is not None

    def watch() -> None:
        with suppress(OSError):
            os.read(lifeline, 1)
        signal.pthread_kill(main, signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def supervised(command: Sequence[str]) -> tuple[str, ...]:
    """Return a command that runs another, and ends all of its processes by SIGTERM.

    Started with the options of `tied`, it also does so when its parent has died.
    """
    if not _HAS_PIPES:
        return tuple(command)
    return isolated(_BOOTSTRAP, IMPORT_ROOT, *command)


def supervise(command: Sequence[str]) -> int:
    """Run a command to its end, in a process group of its own, and return its status."""
    import subprocess  # noqa: PLC0415 - workers load this module, and this takes them 10 ms

    running: list[subprocess.Popen[bytes]] = []
    is_ended = False

    def end(*_: object) -> None:
        nonlocal is_ended
        is_ended = True  # also while the command is being started
        for process in running:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            os._exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C ends
    signal.signal(signal.SIGTERM, end)
    end_with_parent()
    try:
        running.append(subprocess.Popen(command, process_group=0))
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {(error.strerror or str(error)).lower()}\n")
        return 127
    if is_ended:
        end()
    status = running[0].wait()
    return status if status >= 0 else 128 - status
