"""Reads the name section of a binary; what is wrong in it ends it early, and is not an error."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import MochiError

if TYPE_CHECKING:
    from mochi_rules.wasm.reader.cursor import Cursor

# Core 2.0, §7.4.1; that of globals is of the extended-name-section proposal.
_FUNCTIONS, _LOCALS, _GLOBALS = 1, 2, 7


@dataclass(slots=True)
class Names:
    """Names by index; those of locals by the index of their function first."""

    functions: dict[int, str] = field(default_factory=dict)
    globals: dict[int, str] = field(default_factory=dict)
    locals: dict[int, dict[int, str]] = field(default_factory=dict)


def read_names(cursor: Cursor) -> Names:
    """Read the contents of a name section."""
    names = Names()
    with suppress(MochiError):
        while cursor.remaining:
            kind, contents = cursor.byte(), cursor.part(cursor.unsigned())
            if kind == _FUNCTIONS:
                names.functions = _read_map(contents)
            elif kind == _GLOBALS:
                names.globals = _read_map(contents)
            elif kind == _LOCALS:
                for _ in range(contents.count()):
                    function = contents.unsigned()
                    names.locals[function] = _read_map(contents)
    return names


def _read_map(cursor: Cursor) -> dict[int, str]:
    return {cursor.unsigned(): cursor.name() for _ in range(cursor.count())}
