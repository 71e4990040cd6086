"""The classes that all nodes of the syntax tree derive from."""

from __future__ import annotations

from typing import Any

from mochi_rules.base.dataclass import dataclass, field


@dataclass(slots=True, eq=False)
class Node:
    """Anything with a place: the half-open range [start, end) of the module's source."""

    start: int
    end: int


@dataclass(slots=True, eq=False)
class TypeExpr(Node):
    """A written type; `optional` for a trailing `?`."""

    optional: bool


@dataclass(slots=True, eq=False)
class Expr(Node):
    """An expression; `cell` is set by inference."""

    cell: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Stmt(Node):
    """A statement."""
