"""Reads the section `mochi.lines`: `lines.py` writes it, and says what is in it."""

from __future__ import annotations

from mochi_rules.wasm.cursor import Cursor
from mochi_rules.wasm.line_table import LineTable, Place
from mochi_rules.wasm.lines import NAME


def read_lines(data: bytes) -> LineTable:
    """Decode the section, with offsets in the module's file as addresses.

    Emits: A011.

    Raises:
        MochiError: It is damaged.
    """
    cursor = Cursor(data, NAME)
    files = tuple(cursor.name() for _ in range(cursor.count()))
    starts, places = [], []
    start, line = 0, 0
    while cursor.remaining:
        start += cursor.unsigned()
        place = None
        if file := cursor.unsigned():
            step = cursor.unsigned()
            line += -(step // 2 + 1) if step % 2 else step // 2
            if file > len(files) or line < 0:
                raise cursor.malformed(f"file {file}, line {line}")
            place = Place(file - 1, line)
        starts.append(start)
        places.append(place)
    return LineTable(files, tuple(starts), tuple(places))
