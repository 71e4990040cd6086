"""A page of columns whose rows belong together: to point at one shows its kin in the others.

The page is one file that asks nothing of the network, and the same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mochi_rules.base.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HUES = 12  # the style has a color for each; neighbors differ most
# What HTML drops or cannot hold, as its picture: control characters, and halves of pairs.
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if code != 0x09}
_PICTURES |= {
    0x7F: "\u2421",
    **dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000)], "\ufffd"),
}


class Row(NamedTuple):
    """A line of a column.

    Rows of one `group` belong together, and those of one `part` even more; 0 is none. `label`
    stands before the text: a number of a line, or an address.
    """

    text: str
    label: str = ""
    group: int = 0
    part: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """Rows below a heading, which opens and closes them; `is_open` is how they start."""

    heading: str
    rows: Iterable[Row]
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """A column; its title identifies it."""

    title: str
    blocks: Iterable[Block]


def render_columns(title: str, columns: Iterable[Column]) -> Iterator[str]:
    """Yield the parts of a page as HTML; blocks and rows are taken one at a time."""
    style, script = _resource("columns.css"), _resource("columns.js")
    # Names in the columns come from elsewhere: nothing may run but this script.
    policy = f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}"
    head = (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{style}</style>\n"
    )
    hint = (
        "Point at a row to highlight what belongs to it; click or press Enter to keep the "
        "highlight, Escape to remove it. Arrow keys move within and between columns."
    )
    top = (
        f'<header><h1>{_text(title)}</h1><p id="status" role="status">{_text(hint)}</p></header>\n'
    )
    yield f"{head}{top}<main>\n"
    for column in columns:
        yield from _column(column)
    yield f"</main>\n<script>{script}</script>\n</html>\n"


def _column(column: Column) -> Iterator[str]:
    title = _text(column.title)
    yield f'<section aria-label="{title}"><h2>{title}</h2>\n<div class="scroll">\n'
    for block in column.blocks:
        state = " open" if block.is_open else ""
        yield f"<details{state}><summary>{_text(block.heading)}</summary>\n<ol>\n"
        yield from map(_row, block.rows)
        yield "</ol></details>\n"
    yield "</div></section>\n"


def _row(row: Row) -> str:
    group = f' data-g="{row.group}" class="h{row.group % HUES}"' if row.group else ""
    part = f' data-p="{row.part}"' if row.part else ""
    return f"<li{group}{part}><b>{_text(row.label)}</b>{_text(row.text)}</li>\n"


def _text(text: str) -> str:
    return escape(text.translate(_PICTURES))


def _resource(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _source(content: str) -> str:
    digest = b64encode(hashlib.sha256(content.encode()).digest()).decode()
    return f"'sha256-{digest}'"
