"""Ctrl-C and other signals that end a build."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def watch_signals(interrupt: Callable[[], None]) -> None:
    """Call `interrupt`, in another thread, as soon as a signal arrives that ends the build.

    SCons sets its own handlers later, in the main thread, where they may have to wait too;
    this learns of a signal from the interpreter itself.
    """
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        return
    import signal  # noqa: PLC0415 - where there are signals

    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    ending = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    terminals = [stream for stream in (1, 2) if os.isatty(stream)]

    def watch() -> None:
        number = 0
        with suppress(OSError):
            while number not in ending and (data := os.read(reading, 1)):
                number = data[0]
        if number == signal.SIGHUP:
            _silence(terminals)
        interrupt()

    threading.Thread(target=watch, daemon=True).start()


def end_on_interrupt() -> None:
    """Let Ctrl-C end the process at once: nobody is left who would catch a KeyboardInterrupt.

    SCons handles it while it reads and builds, not while a finished process closes.
    """
    import signal  # noqa: PLC0415 - of every process, once

    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _silence(streams: list[int]) -> None:
    """Let nothing more be written to terminals that are gone.

    Such a write fails, and ends a thread of SCons which the others then wait for.
    """
    with suppress(OSError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        for stream in streams:
            os.dup2(nothing, stream)
        os.close(nothing)
