"""The fields of records: of structs, of the rows of a join, and of maps whose keys are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from mochi_rules.compiler.infer.cells import Cell
    from mochi_rules.compiler.names.symbols import Struct


def field_names(cell: Cell, seen: frozenset[Struct] = frozenset()) -> AbstractSet[str] | None:
    """Return the fields that a record may have; None where they are not known.

    A union has those of all variants, a map the keys that are in the program unless there may be
    others. A row also has the fields of its parts; `seen` are the rows that this one is a part of.
    """
    cell = cell.find()
    if cell.kind == "map":
        keys = cell.args[0].find()
        return None if keys.is_open else keys.names
    if cell.kind == "union":
        return {name for variant in cell.of.variants for name in variant.cells}  # type: ignore[union-attr]
    if cell.kind != "struct":
        return None if cell.kind == "any" else frozenset()
    row: Struct = cell.of  # type: ignore[assignment]
    names: frozenset[str] = frozenset(row.cells)
    if row.role == "group":
        names |= {"count"}
    if row.role == "row" and row not in seen:
        for part in row.cells.values():
            inner = field_names(part, seen | {row})
            if inner is None:
                return None
            names |= inner
    return names


def parts_with(row: Struct, name: str) -> list[str]:
    """Return the parts of a row that may have a field, the last one first."""
    return [part for part in reversed(row.cells) if may_have(row.cells[part], name)]


def may_have(cell: Cell, name: str) -> bool:
    """Whether a record may have a field."""
    names = field_names(cell)
    return names is None or name in names
