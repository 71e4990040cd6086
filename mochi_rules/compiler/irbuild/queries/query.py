"""Builds queries: the loops of a plan, and the result of its rows.

Every clause runs where the reference runs it: sources and joins in order, `where`, grouping,
`having`, sort keys and results row by row, then sorting, `distinct`, `skip` and `take`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.queries import aggregate_of
from mochi_rules.compiler.irbuild.access import length_of
from mochi_rules.compiler.irbuild.aggregates import Fold, aggregate, fold_of
from mochi_rules.compiler.irbuild.queries.plan import Plan, plan_of
from mochi_rules.compiler.irbuild.queries.results import element_type, rows_folded, rows_listed
from mochi_rules.compiler.irbuild.queries.rewrite import rewrite
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import ExpressionRules, FunctionBuilder


def _query(b: FunctionBuilder, node: ast.Query) -> Value:
    plan = _plan(b, node)
    if plan.aggregate is None:
        return rows_listed(b, plan)
    assert isinstance(plan.aggregate.callee, ast.Name)
    name = plan.aggregate.callee.name
    fold = _fold(plan, name)
    if fold is not None:
        return rows_folded(b, plan, fold)
    rows = rows_listed(b, plan)
    return length_of(b, rows) if name == "count" else aggregate(b, name, rows)


def fold_query(b: FunctionBuilder, node: ast.Query, name: str) -> Value | None:
    """Return the result of a builtin for a query, without a list of its rows.

    None where it needs the list.
    """
    if aggregate_of(node) is not None:
        return None
    plan = _plan(b, node)
    fold = _fold(plan, name)
    return None if fold is None else rows_folded(b, plan, fold)


def _plan(b: FunctionBuilder, node: ast.Query) -> Plan:
    plan = plan_of(node)
    rewrite(b.program, plan)
    return plan


def _fold(plan: Plan, name: str) -> Fold | None:
    """Return the fold of a plan's rows; None where it needs a list of them."""
    node = plan.node
    if node.sort is not None or node.distinct or node.skip is not None or node.take is not None:
        return None
    return fold_of(name, element_type(plan.result))


EXPRESSIONS: ExpressionRules = {ast.Query: _query}
