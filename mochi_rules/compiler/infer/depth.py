"""How deeply inferred types are nested: `let b = [a]`, `let c = [b]` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mochi_rules.compiler.infer.cells import Cell


class Depths:
    """Measures final cells, each once; a type that contains itself ends where it does."""

    def __init__(self) -> None:
        self._known: dict[Cell, int] = {}

    def of(self, cell: Cell) -> int:
        """Return how many levels a type has; a scalar or a struct has one."""
        known, waiting = self._known, [cell.find()]
        while waiting:
            cell = waiting[-1]
            args = [arg.find() for arg in cell.args]
            if cell not in known:
                known[cell] = 0  # until its parts are known
                waiting += args
                continue
            waiting.pop()
            if all(arg in known for arg in args):  # else it is within itself, and measured later
                known[cell] = known[cell] or 1 + max((known[arg] for arg in args), default=0)
        return known[cell]
