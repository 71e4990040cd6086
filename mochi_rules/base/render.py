"""Diagnostics as text and as JSON lines; the only place with carets.

What they name may come from anywhere: it is escaped, and cut where it is long.
"""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, Fault, Label
from mochi_rules.base.printable import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mochi_rules.base.span import Source, Span

MAX_SHOWN = 20
_MAX_LINE = 200  # characters of a line that are shown, and how many of them before the label
_BEFORE = 60
_MAX_TEXT = 2000  # characters of a line of a message
_DOTS = "..."
_STYLES = {
    "error": "\x1b[1;31m",
    "warning": "\x1b[1;33m",
    "frame": "\x1b[1;34m",
    "help": "\x1b[1;36m",
}
_RESET = "\x1b[0m"


def render_all(diagnostics: Sequence[Diagnostic], *, color: bool = False) -> str:
    """Return all diagnostics as text, at most MAX_SHOWN of them, ending in a newline."""
    parts = [render(item, color=color) for item in diagnostics[:MAX_SHOWN]]
    hidden = len(diagnostics) - MAX_SHOWN
    if hidden > 0:
        parts.append(f"... and {hidden} more\n")
    return "\n".join(parts)


def render(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """Return a diagnostic as text: headline, place, source with carets, notes, help."""
    paint = _painter(color)
    severity = diagnostic.severity.value
    lines = [f"{paint(severity, f'{severity}[{diagnostic.code}]')}: {_text(diagnostic.message)}"]
    if diagnostic.span is not None:
        main = Label(diagnostic.span, diagnostic.label)
        lines += _excerpt(main, diagnostic.labels, paint)
    lines += [f"{paint('frame', 'note')}: {_text(note)}" for note in diagnostic.notes]
    if diagnostic.help:
        lines.append(f"{paint('help', 'help')}: {_text(diagnostic.help)}")
    if diagnostic.fault is Fault.INTERNAL:
        lines.append(f"{paint('frame', 'note')}: this is a bug in mochi_rules; please report it")
    return "\n".join(lines) + "\n"


def render_json(diagnostic: Diagnostic) -> str:
    """Return a diagnostic as one line of JSON, for editors."""
    place: dict[str, object] = {}
    if span := diagnostic.span:
        line, column = span.source.position(span.start)
        end_line, end_column = span.source.position(span.end)
        place = {"file": span.source.name, "line": line, "column": column,
                 "end_line": end_line, "end_column": end_column}  # fmt: skip
    document = {"code": diagnostic.code, "severity": diagnostic.severity.value,
                "message": diagnostic.message, **place,
                "notes": list(diagnostic.notes), "help": diagnostic.help}  # fmt: skip
    return json.dumps(document)  # in ASCII: nothing in it steers a terminal


class _painter:  # noqa: N801 - a function with a remembered flag
    def __init__(self, color: bool) -> None:  # noqa: FBT001
        self.color = color

    def __call__(self, style: str, text: str) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if self.color else text


def _text(text: str) -> str:
    lines = (shorten(line, _MAX_TEXT) for line in text.split("\n"))
    return printable("\n".join(lines), keep_lines=True)


def _place(span: Span) -> str:
    return printable(shorten(str(span), _MAX_TEXT))


def _excerpt(main: Label, others: Sequence[Label], paint: _painter) -> list[str]:
    """Return the place, then every labelled line, in the order of the text."""
    source = main.span.source
    here = [label for label in (main, *others) if label.span.source is source]
    by_row: dict[int, list[Label]] = {}
    for label in here:
        by_row.setdefault(source.position(label.span.start)[0], []).append(label)
    rows = sorted(by_row)
    width = max(2, len(str(rows[-1])))
    bar = paint("frame", "|")
    lines = [f"{' ' * width}{paint('frame', '-->')} {_place(main.span)}", f"{' ' * width} {bar}"]
    previous = rows[0]
    for row in rows:
        if row > previous + 1:
            lines.append(paint("frame", "..."))
        number = paint("frame", f"{row:>{width}}")
        for text, underlines in _windows(source, row, by_row[row], main, paint):
            lines.append(f"{number} {bar} {text}".rstrip())
            lines += [f"{' ' * width} {bar} {underline}" for underline in underlines]
        previous = row
    lines += [
        f"{' ' * width}{paint('frame', '-->')} {_place(label.span)}: {_text(label.text)}"
        for label in others
        if label.span.source is not source
    ]
    return lines


def _windows(
    source: Source, row: int, labels: Sequence[Label], main: Label, paint: _painter
) -> Iterator[tuple[str, list[str]]]:
    """Yield a line with its underlines; of a long line, the part around each label."""
    line = source.line(row)
    if len(line) <= _MAX_LINE:
        window = _Window(line, 0, len(line))
        yield window.text, [window.underline(label, main, paint) for label in labels]
        return
    for label in labels:
        column = source.position(label.span.start)[1]
        start = max(0, min(column - 1 - _BEFORE, len(line) - _MAX_LINE))
        window = _Window(line, start, start + _MAX_LINE)
        yield window.text, [window.underline(label, main, paint)]


class _Window:
    """A part of a line as it is shown, with dots where something is left out."""

    def __init__(self, line: str, start: int, end: int) -> None:
        self._line, self._start, self._end = line, start, end
        self._dots = _DOTS if start else ""
        self.text = self._dots + _shown(line[start:end]) + (_DOTS if end < len(line) else "")

    def underline(self, label: Label, main: Label, paint: _painter) -> str:
        """Return the carets below a label, and its text."""
        _, column = label.span.source.position(label.span.start)
        first = column - 1
        last = min(first + max(1, label.span.end - label.span.start), self._end)
        before = self._dots + _shown(self._line[self._start : first])
        mark = "^" if label is main else "-"
        style = "error" if label is main else "frame"
        carets = mark * max(1, _cells(_shown(self._line[first:last])))
        return " " * _cells(before) + paint(style, f"{carets} {_text(label.text)}".rstrip())


def _shown(text: str) -> str:
    return printable(text.expandtabs(4))


def _cells(text: str) -> int:
    """Return how many terminal cells a string takes: wide characters two, marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character)
        else 2 if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )  # fmt: skip
