"""Foreign strings in a form that is safe to print."""

from __future__ import annotations

import re

# Control characters, lone surrogates, and what Unicode has to turn the direction of a line, to
# separate lines and to hide: sources and names of files may hold all of them.
_STEERING = (
    "\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
)
_ANY = re.compile(f"[{_STEERING}]")
_ANY_BUT_LINES = re.compile(f"(?![\n\t])[{_STEERING}]")
_CUT = " ... "
_SHOWN_LINES = 12


def printable(text: str, *, keep_lines: bool = False) -> str:
    """Escape what would steer a terminal; `keep_lines` leaves line breaks and tabs as they are."""
    if text.isprintable():
        return text
    pattern = _ANY_BUT_LINES if keep_lines else _ANY
    return pattern.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def shorten(text: str, limit: int) -> str:
    """Return a string of at most `limit` characters, without its middle if it is longer."""
    if len(text) <= limit:
        return text
    head = (limit - len(_CUT)) // 2
    return text[:head] + _CUT + text[len(text) - (limit - len(_CUT) - head) :]


def output_notes(program: str, output: str, *, at_start: bool = False) -> tuple[str, ...]:
    """Return a note with the last lines of a program's output, or its first; none for no output."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    shown = lines[:_SHOWN_LINES] if at_start else lines[-_SHOWN_LINES:]
    if not shown:
        return ()
    return ("\n".join([f"output of {program}:", *(f"    {line}" for line in shown)]),)
