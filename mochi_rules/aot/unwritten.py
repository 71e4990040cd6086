"""Writes what a program has printed, and still has in its buffer when it is ended by force.

The runtime library says in memory where the buffer is; `compiler/lower/object_layout.py` has how.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from mochi_rules.base.signals import ENDING, handling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PLACE = 992
_WORDS = struct.Struct("<8s4I")
_MARK = b"mochiout"
_STDOUT = 1
_PATIENCE = 100  # milliseconds, with the reader of an interrupted program
_PIECE = 4096  # bytes that a ready pipe takes without a wait


class Unwritten:
    """The buffer of a program; empty until it is found, and of programs that are not ours."""

    def __init__(self) -> None:
        self._read: Callable[[], bytes] = bytes

    def find(self, store: Any, exports: Any) -> None:
        """Find the buffer of an instance."""
        from wasmtime import Memory  # noqa: PLC0415 - loaded before

        with suppress(KeyError):
            memory = exports["memory"]
            if isinstance(memory, Memory):
                self._read = lambda: _buffer(lambda start, end: memory.read(store, start, end))

    def write(self) -> None:
        """Write the buffer of a program that has trapped."""
        data = self._read()
        with suppress(OSError):  # if nobody reads, the status still tells
            while data:
                data = data[os.write(_STDOUT, data) :]

    @contextmanager
    def default_signals(self) -> Iterator[None]:
        """Let signals end the process at once, as they end any program; but write the buffer.

        Python's own handlers wait for the program to end, and it ignores a closed pipe.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        with handling(self._handlers()):
            yield

    def _handlers(self) -> dict[int, Any]:
        if sys.platform == "win32":  # where a main thread that waits handles no signal
            return {signal.SIGINT: signal.SIG_DFL}
        wanted = [n for n in ENDING if signal.getsignal(n) != signal.SIG_IGN]
        return {signal.SIGPIPE: signal.SIG_DFL} | dict.fromkeys(wanted, self._interrupted)

    def _interrupted(self, number: int, _frame: object) -> None:
        """Write the buffer while the program goes on, and end the process."""
        signal.signal(number, signal.SIG_DFL)  # a second signal ends it meanwhile
        stdout = os.dup(_STDOUT)
        reading, writing = os.pipe()
        os.dup2(writing, _STDOUT)  # what the program writes meanwhile, until that is full
        before, now, found = -1, _waiting(reading), b""
        while now != before:
            found = self._read()
            before, now = now, _waiting(reading)
        _write_patiently(stdout, os.read(reading, now) + found)
        os.kill(os.getpid(), number)


def _buffer(read: Callable[[int, int], bytearray]) -> bytes:
    words = read(_PLACE, _PLACE + _WORDS.size)
    if not words.startswith(_MARK):
        return b""
    _, start, used, kept, captures = _WORDS.unpack(words)
    return bytes(read(start, start + (kept if captures else used)))


def _waiting(pipe: int) -> int:
    """Return how many bytes wait in a pipe."""
    import fcntl  # noqa: PLC0415 - of this end only, and not of Windows
    import termios  # noqa: PLC0415

    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def _write_patiently(stream: int, data: bytes) -> None:
    """Write as much as the reader takes."""
    from select import POLLOUT, poll  # noqa: PLC0415 - of this end only

    ready = poll()
    ready.register(stream, POLLOUT)
    with suppress(OSError):
        while data and ready.poll(_PATIENCE):
            data = data[os.write(stream, data[:_PIECE]) :]
