"""Inference: queries (`from … select …`) and their groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.calls import builtin_result
from mochi_rules.compiler.infer.cells import NULL, Cell
from mochi_rules.compiler.infer.loops import iterate
from mochi_rules.compiler.names.scopes import key_parts
from mochi_rules.compiler.names.symbols import Builtin, Struct
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.infer.context import ExpressionRules, Inference

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


def _query(inference: Inference, node: ast.Query) -> Cell:
    _rows(inference, node)
    if node.where is not None:
        inference.expression(node.where)
    if node.group is not None:
        _group(inference, node, node.group)
    for clause in (node.sort, node.skip, node.take):
        if clause is not None:
            inference.expression(clause)
    aggregate = aggregate_of(node)
    if aggregate is not None:
        element = inference.expression(aggregate.args[0])
        values = Cell("list", (element,))
        aggregate.cell = builtin_result(inference, aggregate, [values])
        return aggregate.cell  # type: ignore[no-any-return]
    element = inference.expected.get(node) or Cell()
    inference.give(node.select, element)
    return Cell("list", (element,))


def _rows(inference: Inference, node: ast.Query) -> None:
    for source in _parts(node):
        cell = inference.variable(source.variable)
        iterate(inference, inference.expression(source.source), cell, source.source)
    for join in node.joins:
        inference.expression(join.condition)
        if join.side in ("left", "outer"):
            inference.solver.make_nullable(join.variable.type, NULL)
        if join.side in ("right", "outer"):
            for source in node.sources:
                inference.solver.make_nullable(source.variable.type, NULL)


def _group(inference: Inference, node: ast.Query, group: ast.QueryGroup) -> None:
    """Make the group's own struct: key and items."""
    keys = [inference.expression(key) for key in group.keys]
    group_type = Struct("group", inference.function.module, {}, role="group")
    struct = inference.resolution.register(group_type)
    if len(keys) == 1:
        struct.cells["key"] = keys[0]
    else:
        value = Cell()
        for key in keys:
            inference.solver.flow(key, value)
        names = Cell("string")
        names.names = frozenset(key_name(key, group) for key in group.keys)
        struct.cells["key"] = Cell("map", (names, value))
        for expression, cell in zip(group.keys, keys, strict=True):
            struct.cells.setdefault(key_name(expression, group), cell)
    struct.cells["items"] = Cell("list", (_row(inference, node, group),))
    cell = inference.variable(group.variable)
    inference.solver.learn(cell, "struct", (), struct)
    for name, part in key_parts(group).items():
        inference.solver.flow(part.cell, inference.variable(group.parts[name]))
    if group.having is not None:
        inference.expression(group.having)


def _row(inference: Inference, node: ast.Query, group: ast.QueryGroup) -> Cell:
    """Return the cell of a group's items: the element, or a row of all variables."""
    sources = _parts(node)
    if len(sources) == 1:
        return sources[0].variable.type  # type: ignore[no-any-return]
    row = Struct("row", inference.function.module, {}, role="row")
    row.cells = {source.name: source.variable.type for source in sources}
    group.row = inference.resolution.register(row)
    return Cell("struct", of=row)


def key_name(key: ast.Expr, group: ast.QueryGroup) -> str:
    """Return the name of one of several group keys: the last part of a selector, or its number."""
    if isinstance(key, (ast.Field, ast.Name)):
        return key.name
    return f"k{group.keys.index(key) + 1}"


def _parts(node: ast.Query) -> list[ast.QuerySource | ast.QueryJoin]:
    return [*node.sources, *node.joins]


EXPRESSIONS: ExpressionRules = {ast.Query: _query}
