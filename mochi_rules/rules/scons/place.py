"""Places in the user's build files."""

from __future__ import annotations

import ast
import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING

import SCons

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.span import Source, Span

if TYPE_CHECKING:
    from types import FrameType

_PACKAGES = (Path(__file__).resolve().parents[2], Path(SCons.__file__).parent)
_NOT_THE_USER = tuple(f"{package}{os.sep}" for package in _PACKAGES)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a build file; the file is read when a message needs it."""

    path: str
    line: int
    root: Path

    def locate(self, attribute: str = "") -> Span | None:
        """Return the span of an attribute's name in the call at this line, or of the call's name.

        A target's name may be the first argument. None where the file cannot be read.
        """
        path = self.root / self.path
        try:
            text = path.read_text("utf-8", "replace")
        except OSError:
            return None
        name = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        source = Source(name.as_posix(), text)
        for call in _calls(text, self.line):
            for keyword in call.keywords:
                if keyword.arg == attribute:
                    return _span(source, keyword.lineno, keyword.col_offset, len(attribute))
            shown = call.args[0] if attribute == "name" and call.args else call.func
            if shown.end_lineno == shown.lineno:
                width = (shown.end_col_offset or 0) - shown.col_offset
                return _span(source, shown.lineno, shown.col_offset, width)
        return _span(source, self.line, 0, 1)


def is_of_user(path: str) -> bool:
    """Return whether a file of Python is neither ours nor of SCons."""
    return not path.startswith(_NOT_THE_USER)


def user_place(root: Path) -> Place:
    """Return the line of the user's that is being executed: the innermost that is not ours."""
    frame: FrameType | None = inspect.currentframe()
    while frame is not None and not is_of_user(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return Place("SConstruct", 1, root)
    return Place(frame.f_code.co_filename, frame.f_lineno, root)


def _calls(text: str, line: int) -> list[ast.Call]:
    """Return the calls that begin in a line or go on in it, the innermost first."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return sorted(calls, key=lambda call: (call.lineno != line, -call.lineno, call.col_offset))


def _span(source: Source, line: int, column: int, width: int) -> Span:
    """Return a span; `column` counts bytes of UTF-8, as `ast` does."""
    start = sum(len(text) + 1 for text in source.text.split("\n")[: line - 1])
    before = source.text[start:].encode()[:column].decode("utf-8", "replace")
    start += len(before)
    return Span(source, start, start + max(width, 1))
