"""Handlers of signals for a while, and threads that get none."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object] | signal.Handlers | int | None

# What asks a process to end.
ENDING = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if os.name == "posix" else ()))


@contextmanager
def handling(handlers: Mapping[int, Handler]) -> Iterator[None]:
    """Set handlers by number of signal, in the main thread, and restore those before."""
    before = [(number, signal.signal(number, handler)) for number, handler in handlers.items()]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextmanager
def for_this_thread_alone() -> Iterator[None]:
    """Let threads that start meanwhile, and those that they start, never get what ends a process.

    The system gives a signal to any thread, and Python handles it in the main one, which a signal
    to another does not wake. Processes inherit this too, so such threads must start none.
    """
    if os.name != "posix":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
