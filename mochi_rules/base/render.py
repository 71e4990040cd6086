"""Diagnostics as text and as JSON lines; the only place with carets."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, Fault, Label

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SHOWN = 20
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
    lines = [f"{paint(severity, f'{severity}[{diagnostic.code}]')}: {diagnostic.message}"]
    if diagnostic.span is not None:
        main = Label(diagnostic.span, diagnostic.label)
        lines += _excerpt(main, diagnostic.labels, paint)
    lines += [f"{paint('frame', 'note')}: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        lines.append(f"{paint('help', 'help')}: {diagnostic.help}")
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
    return json.dumps(document, ensure_ascii=False)


class _painter:  # noqa: N801 - a function with a remembered flag
    def __init__(self, color: bool) -> None:  # noqa: FBT001
        self.color = color

    def __call__(self, style: str, text: str) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if self.color else text


def _excerpt(main: Label, others: Sequence[Label], paint: _painter) -> list[str]:
    """Return the place, then every labelled line once, in the order of the text."""
    source = main.span.source
    here = [label for label in (main, *others) if label.span.source is source]
    rows = sorted({source.position(label.span.start)[0] for label in here})
    width = max(2, len(str(rows[-1])))
    bar = paint("frame", "|")
    lines = [f"{' ' * width}{paint('frame', '-->')} {main.span}", f"{' ' * width} {bar}"]
    previous = rows[0]
    for row in rows:
        if row > previous + 1:
            lines.append(paint("frame", "..."))
        number = paint("frame", f"{row:>{width}}")
        text = source.line(row).expandtabs(4)
        lines.append(f"{number} {bar} {text}".rstrip())
        lines += [
            f"{' ' * width} {bar} {_underline(label, main, paint)}"
            for label in here
            if source.position(label.span.start)[0] == row
        ]
        previous = row
    lines += [
        f"{' ' * width}{paint('frame', '-->')} {label.span}: {label.text}"
        for label in others
        if label.span.source is not source
    ]
    return lines


def _underline(label: Label, main: Label, paint: _painter) -> str:
    source = label.span.source
    row, column = source.position(label.span.start)
    line = source.line(row)
    before = line[: column - 1]
    marked = line[column - 1 : column - 1 + max(1, label.span.end - label.span.start)]
    mark = "^" if label is main else "-"
    style = "error" if label is main else "frame"
    carets = mark * max(1, _cells(marked.expandtabs(4)))
    return " " * _cells(before.expandtabs(4)) + paint(style, f"{carets} {label.text}".rstrip())


def _cells(text: str) -> int:
    """Return how many terminal cells a text takes: wide characters two, marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character)
        else 2 if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )  # fmt: skip
