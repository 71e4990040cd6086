"""Reads the section `mochi.lines`: `lines.py` writes it, and says what is in it."""

from __future__ import annotations

from array import array

from mochi_rules.wasm.debug.line_table import LineTable
from mochi_rules.wasm.debug.lines import NAME
from mochi_rules.wasm.reader.cursor import Cursor

_MAX_FILES, _MAX_NUMBER = 1 << 16, 0xFFFF_FFFF


def read_lines(data: bytes) -> LineTable:
    """Decode the section, with offsets in the module's file as addresses.

    Emits: A011.

    Raises:
        MochiError: It is damaged.
    """
    cursor = Cursor(data, NAME)
    count = cursor.count()
    if count > _MAX_FILES:
        raise cursor.malformed(f"{count} files, more than {_MAX_FILES}")
    files = tuple(cursor.name() for _ in range(count))
    rows = (array("I"), array("I"), array("I"))
    start, line = 0, 0
    while cursor.remaining:
        start += cursor.unsigned()
        owner = cursor.unsigned()
        if owner:
            step = cursor.unsigned()
            line += -(step // 2 + 1) if step % 2 else step // 2
        if owner > len(files) or not 0 <= line <= _MAX_NUMBER or start > _MAX_NUMBER:
            raise cursor.malformed(f"file {owner}, line {line}, offset {start}")
        for column, value in zip(rows, (start, owner, line), strict=True):
            column.append(value)
    return LineTable(files, *rows)
