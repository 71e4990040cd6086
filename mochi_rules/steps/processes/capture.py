"""The output of a process, caught up to a size and a time."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_OUTPUT = 16_000_000  # bytes, of each stream
_CHUNK = 64 << 10


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended: its status, and what it printed.

    The status is None when it was stopped: its time was up, or `is_flood`, it printed more than
    MAX_OUTPUT.
    """

    status: int | None
    stdout: bytes
    stderr: bytes
    is_flood: bool = False


def communicate(
    process: subprocess.Popen[bytes],
    stdin: bytes,
    seconds: float | None,
    listen: Callable[[bytes], None] = lambda _: None,
) -> Ran:
    """Give a process its input, and return how it ended; SIGTERM stops it.

    Its streams are pipes. `listen` hears what it writes to stderr, in a thread of its own.
    """
    end = None if seconds is None else time.monotonic() + seconds
    outputs = [_Output(process, process.stdout), _Output(process, process.stderr, listen)]
    threads: list[threading.Thread] = [_Input(process.stdin, stdin), *outputs]
    try:
        for thread in threads:
            thread.start()
        for output in outputs:
            output.join(_remaining(end))
        process.wait(_remaining(end))
        is_late = any(output.is_alive() for output in outputs)
    except subprocess.TimeoutExpired:
        is_late = True
    finally:
        process.terminate()
    for thread in threads:
        thread.join()
    status = process.wait()
    is_flood = any(output.is_flood for output in outputs)
    stdout, stderr = (bytes(output.data) for output in outputs)
    return Ran(None if is_late or is_flood else status, stdout, stderr, is_flood)


def _remaining(end: float | None) -> float | None:
    return None if end is None else max(end - time.monotonic(), 0)


class _Input(threading.Thread):
    """Writes what a process reads."""

    def __init__(self, stream: IO[bytes] | None, data: bytes) -> None:
        super().__init__(daemon=True)
        assert stream is not None
        self._stream, self._data = stream, data

    def run(self) -> None:
        """Write until all is written, or the reader is gone."""
        with suppress(OSError), self._stream:
            self._stream.write(self._data)


class _Output(threading.Thread):
    """Reads what a process writes to a stream, and stops it when that is too much."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        stream: IO[bytes] | None,
        listen: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        super().__init__(daemon=True)
        assert stream is not None
        self._process, self._stream, self._listen = process, stream, listen
        self.data = bytearray()
        self.is_flood = False

    def run(self) -> None:
        """Read to the end; what is beyond MAX_OUTPUT is dropped."""
        with self._stream as stream:
            while chunk := os.read(stream.fileno(), _CHUNK):
                self._listen(chunk)
                room = MAX_OUTPUT - len(self.data)
                self.data += chunk[:room]
                if len(chunk) > room and not self.is_flood:
                    self.is_flood = True
                    self._process.terminate()
