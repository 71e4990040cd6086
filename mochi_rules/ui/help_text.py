"""Help as a terminal shows it: wrapped lines, and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH = 100
_LONG = 32  # characters of a name, more of which have a line of their own


def wrap(text: str, indent: int = 2) -> list[str]:
    """Return the lines of a text, each indented."""
    import textwrap  # noqa: PLC0415 - of help only

    margin = " " * indent
    return textwrap.wrap(
        text, _WIDTH, initial_indent=margin, subsequent_indent=margin,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def wrapped_table(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return the lines of two aligned columns, indented by two."""
    rows = list(rows)
    width = max((len(name) for name, _ in rows if len(name) <= _LONG), default=0)
    lines: list[str] = []
    for name, text in rows:
        first, *others = wrap(text, width + 4) or [""]
        if len(name) > width:
            lines += [f"  {name}", first, *others]
        else:
            lines += [f"  {name:<{width}}{first[width + 2 :]}".rstrip(), *others]
    return lines
