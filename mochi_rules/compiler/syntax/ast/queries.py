"""Queries over collections, and those of logic programs."""

from __future__ import annotations

from typing import Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.syntax.ast.node import Expr, Node


@dataclass(slots=True, eq=False)
class QuerySource(Node):
    """`from name in source`."""

    name: str
    name_start: int
    source: Expr
    variable: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class QueryJoin(Node):
    """`[left|right|outer] join [from] name in source on condition`; `side` is "" for inner."""

    side: str
    name: str
    name_start: int
    source: Expr
    condition: Expr
    variable: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class QueryGroup(Node):
    """`group by keys into name [having having]`.

    With a map literal as its key, `parts` has a variable for each name in it. `row` is the Struct
    of its elements, where they have several variables.
    """

    keys: list[Expr]
    name: str
    having: Expr | None
    variable: Any = field(default=None, init=False, repr=False)
    row: Any = field(default=None, init=False, repr=False)
    parts: dict[str, Any] = field(default_factory=dict, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Query(Expr):
    """`from … select …`; `sources` has at least one item."""

    sources: list[QuerySource]
    joins: list[QueryJoin]
    where: Expr | None
    group: QueryGroup | None
    sort: Expr | None
    skip: Expr | None
    take: Expr | None
    distinct: bool
    select: Expr


@dataclass(slots=True, eq=False)
class Predicate(Node):
    """`name(terms)` of facts, rules and logic queries; a term is a Name, StringLit or IntLit."""

    name: str
    terms: list[Expr]


@dataclass(slots=True, eq=False)
class LogicQuery(Expr):
    """`query p(X)`."""

    predicate: Predicate
