"""Inference: queries (`from … select …`) and their groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import NULL, Cell
from mochi_rules.compiler.names.scopes import key_parts
from mochi_rules.compiler.names.symbols import Builtin, Struct
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.infer.program import Inference

AGGREGATES = frozenset({"sum", "avg", "min", "max", "count"})


def aggregate_of(node: ast.Query) -> ast.Call | None:
    """Return the call that makes a query a scalar: `select sum(e)` without a group."""
    select = node.select
    if (
        node.group is None
        and isinstance(select, ast.Call)
        and isinstance(select.callee, ast.Name)
        and isinstance(select.callee.decl, Builtin)
        and select.callee.name in AGGREGATES
        and len(select.args) == 1
        and not isinstance(select.args[0], ast.Query)
    ):
        return select
    return None


class QueryRules:
    """What queries say about types."""

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.solver = inference.solver
        self.handlers: dict[type, Callable[[Any], Cell]] = {ast.Query: self._query}

    def _query(self, node: ast.Query) -> Cell:
        inference, solver = self.inference, self.solver
        self._rows(node)
        if node.where is not None:
            inference.expression(node.where)
        if node.group is not None:
            self._group(node, node.group)
        for clause in (node.sort, node.skip, node.take):
            if clause is not None:
                inference.expression(clause)
        aggregate = aggregate_of(node)
        if aggregate is not None:
            element = inference.expression(aggregate.args[0])
            values = Cell("list", (element,))
            aggregate.cell = inference.calls.builtin_result(aggregate, [values])
            return aggregate.cell  # type: ignore[no-any-return]
        element = Cell()
        solver.flow(inference.expression(node.select), element)
        return Cell("list", (element,))

    def _rows(self, node: ast.Query) -> None:
        inference = self.inference
        for source in _parts(node):
            inference.access.elements.add(source.variable)
            cell = inference.variable(source.variable)
            inference.statements.iterate(inference.expression(source.source), cell, source.source)
        for join in node.joins:
            inference.expression(join.condition)
            if join.side in ("left", "outer"):
                self.solver.make_nullable(join.variable.type, NULL)
            if join.side in ("right", "outer"):
                for source in node.sources:
                    self.solver.make_nullable(source.variable.type, NULL)

    def _group(self, node: ast.Query, group: ast.QueryGroup) -> None:
        """Make the group's own struct: key and items."""
        inference = self.inference
        keys = [inference.expression(key) for key in group.keys]
        group_type = Struct("group", inference.function.module, {}, role="group")
        struct = inference.resolution.register(group_type)
        if len(keys) == 1:
            struct.cells["key"] = keys[0]
        else:
            value = Cell()
            for key in keys:
                self.solver.flow(key, value)
            names = Cell("string")
            names.names = frozenset(key_name(key, group) for key in group.keys)
            struct.cells["key"] = Cell("map", (names, value))
            for expression, cell in zip(group.keys, keys, strict=True):
                struct.cells.setdefault(key_name(expression, group), cell)
        struct.cells["items"] = Cell("list", (self._row(node, group),))
        cell = inference.variable(group.variable)
        self.solver.learn(cell, "struct", (), struct)
        for name, part in key_parts(group).items():
            self.solver.flow(part.cell, inference.variable(group.parts[name]))
        if group.having is not None:
            inference.expression(group.having)

    def _row(self, node: ast.Query, group: ast.QueryGroup) -> Cell:
        """Return the cell of a group's items: the element, or a row of all variables."""
        sources = _parts(node)
        if len(sources) == 1:
            return sources[0].variable.type  # type: ignore[no-any-return]
        row = Struct("row", self.inference.function.module, {}, role="row")
        row.cells = {source.name: source.variable.type for source in sources}
        group.row = self.inference.resolution.register(row)
        return Cell("struct", of=row)


def key_name(key: ast.Expr, group: ast.QueryGroup) -> str:
    """Return the name of one of several group keys: the last part of a selector, or its number."""
    if isinstance(key, (ast.Field, ast.Name)):
        return key.name
    return f"k{group.keys.index(key) + 1}"


def _parts(node: ast.Query) -> list[ast.QuerySource | ast.QueryJoin]:
    return [*node.sources, *node.joins]
