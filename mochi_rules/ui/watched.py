"""The standard streams of a terminal: whoever writes to them clears the live line first.

After the terminal is closed, what is written is dropped: an error would end a thread of SCons which
the others wait for.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from mochi_rules.ui.console import Console


class Watched:
    """A stream that writes through a console; in all else as the stream."""

    def __init__(self, stream: IO[str], console: Console) -> None:
        self._stream, self._console = stream, console

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def buffer(self) -> Any:
        """The stream of bytes; whoever asks for it is about to write."""
        self._console.clear()
        return cast("TextIO", self._stream).buffer

    def write(self, text: str) -> int:
        """Write a string."""
        with suppress(OSError):
            self._console.write_through(self._stream, text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        with suppress(OSError):
            self._stream.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)


def watch_streams(console: Console) -> None:
    """Let a console know of all that this process writes to a terminal."""
    sys.stdout, sys.stderr = (_watched(item, console) for item in (sys.stdout, sys.stderr))


@contextmanager
def watched_streams(console: Console) -> Iterator[None]:
    """Watch the streams, and put them back."""
    before = sys.stdout, sys.stderr
    watch_streams(console)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _watched(stream: TextIO, console: Console) -> TextIO:
    return cast("TextIO", Watched(stream, console)) if stream.isatty() else stream
