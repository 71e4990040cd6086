"""The standard streams while a console has a live line: whoever writes to them clears it first."""

from __future__ import annotations

import sys
from contextlib import contextmanager
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
        """Write a text."""
        return self._console.write_through(self._stream, text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts."""
        for line in lines:
            self.write(line)


def watch_streams(console: Console) -> None:
    """Let a console know of all that this process writes to a terminal."""
    if console.has_live_line:
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
