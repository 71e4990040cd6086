"""`mochi.toml`, the settings of a workspace for all who build it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import Diagnostic, MochiError, fail
from mochi_rules.base.files import read_source
from mochi_rules.base.span import Span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mochi_rules.base.span import Source

FILE = "mochi.toml"
# The standard library's reader takes time and memory by the square of the parts of a key.
_MAX_SIZE, _MAX_DOTS = 1 << 16, 250


def read_tables(path: Path) -> dict[str, Any]:
    """Return the tables of the file.

    Emits: B010, B011, B028.

    Raises:
        MochiError: It cannot be read, or is not TOML.
    """
    import tomllib  # noqa: PLC0415 - takes 10 ms, and few workspaces have the file

    if path.stat().st_size > _MAX_SIZE:
        raise fail("B028", f"`{FILE}` has more than {_MAX_SIZE >> 10} KiB")
    source = read_source(path, FILE)
    if any(line.count(".") > _MAX_DOTS for line in source.text.split("\n")):
        raise fail("B028", f"`{FILE}` has a line with more than {_MAX_DOTS} dots")
    try:
        return tomllib.loads(source.text)
    except ValueError as error:  # a number of thousands of digits is another than TOML's own
        raise MochiError(_not_toml(source, str(error))) from None
    except RecursionError:
        raise fail("B028", f"`{FILE}` is nested too deeply") from None


def read_table(root: Path, name: str) -> Mapping[str, object]:
    """Return the table of this name; it is empty where there is none.

    Emits: as `read_tables`.

    Raises:
        MochiError: As `read_tables`, or it is not a table.
    """
    path = root / FILE
    if not path.is_file() or name.encode() not in path.read_bytes():
        return {}
    table = read_tables(path).get(name, {})
    if not isinstance(table, dict):
        raise fail("B028", f"`{name}` of `{FILE}` must be a table", help=f"write `[{name}]`")
    return table


def _not_toml(source: Source, reason: str) -> Diagnostic:
    """Make the error of a file that is not TOML; the parser's reason contains the place."""
    place = re.search(r" \(at line (\d+), column (\d+)\)$", reason)
    if place is None:
        return Diagnostic("B028", f"`{FILE}` is not TOML: {reason}")
    lines = source.text.split("\n")[: int(place[1]) - 1]
    start = sum(len(line) + 1 for line in lines) + int(place[2]) - 1
    span = Span(source, start, start + 1)
    return Diagnostic("B028", f"`{FILE}` is not TOML: {reason[: place.start()]}", span)
