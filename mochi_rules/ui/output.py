"""A stream that people read: never fails, and writes what its encoding can show."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import IO

_REPLACEMENTS = str.maketrans({"·": "-", "→": ">", "…": "."})


class Output:
    """Writes text to a stream. After the reader is gone, the rest is dropped without a word."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream
        self._is_closed = False

    @property
    def is_terminal(self) -> bool:
        """Whether a person sees it at once."""
        with suppress(ValueError, AttributeError):  # a stream that is closed, or no file
            return self.stream.isatty()
        return False

    def write(self, text: str) -> None:
        """Write a string and flush it."""
        if self._is_closed:
            return
        try:
            self.stream.write(self._encodable(text))
            self.stream.flush()
        except (OSError, ValueError):  # a pipe or a terminal that is closed
            self._close()

    def _encodable(self, text: str) -> str:
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            plain = text.translate(_REPLACEMENTS)
            return plain.encode(encoding, "backslashreplace").decode(encoding)
        return text

    def _close(self) -> None:
        """Give the interpreter something to flush at exit that does not fail."""
        self._is_closed = True
        with suppress(OSError, ValueError, AttributeError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self.stream.fileno())
            os.close(nothing)
