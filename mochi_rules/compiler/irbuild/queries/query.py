"""Builds queries: loops that give the rows of a plan, and what is made of the rows.

Every clause runs where the reference runs it: sources and joins in order, `where`, grouping,
`having`, sort keys and results row by row, then sorting, `distinct`, `skip` and `take`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import ANY, INT, VOID
from mochi_rules.compiler.irbuild.access import length_of
from mochi_rules.compiler.irbuild.builtins import aggregate
from mochi_rules.compiler.irbuild.queries.groups import Groups
from mochi_rules.compiler.irbuild.queries.hidden import HiddenVariables
from mochi_rules.compiler.irbuild.queries.plan import Plan, plan_of
from mochi_rules.compiler.irbuild.queries.rewrite import rewrite
from mochi_rules.compiler.irbuild.queries.rows import Rows
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import ExpressionRules, FunctionBuilder


def _query(b: FunctionBuilder, node: ast.Query) -> Value:
    plan = plan_of(node)
    rewrite(b.program, plan)
    return _Results(b, plan).build()


class _Results:
    """The list that a query gives, and what is made of it."""

    def __init__(self, builder: FunctionBuilder, plan: Plan) -> None:
        self.b = builder
        self.plan = plan
        type_ = resolve(plan.result.cell)
        self.element = ANY if type_ is VOID else type_
        self.hidden = HiddenVariables(builder)
        self.rows = self.hidden.new_list("rows", self.element)
        self.keys = self.hidden.new_list("keys", ANY) if plan.node.sort is not None else None

    def build(self) -> Value:
        """Build the loops; return the list, or the value of an aggregate."""
        b, plan = self.b, self.plan
        if plan.node.group is None:
            Rows(b, plan, self.hidden, self._collect).build()
        else:
            groups = Groups(b, plan, plan.node.group, self.hidden)
            Rows(b, plan, self.hidden, groups.add).build()
            groups.each(self._collect)
        value = self._finish()
        self.hidden.drop()
        return value

    def _collect(self) -> None:
        """Take the current row into the result."""
        b, node = self.b, self.plan.node
        if self.keys is not None and node.sort is not None:
            self.hidden.append(self.keys, b.value(node.sort, ANY))
        self.hidden.append(self.rows, b.value(self.plan.result, self.element))

    def _finish(self) -> Value:
        b, node = self.b, self.plan.node
        rows = b.env[self.rows]
        type_ = rows.type
        if self.keys is not None:
            rows = b.runtime("list_sort_by_keys", (rows, b.env[self.keys]), type_)
        if node.distinct:
            rows = b.runtime("list_distinct", (rows,), type_)
        if node.skip is not None:
            last = b.const(2**63 - 1, INT)
            rows = b.runtime("list_slice", (rows, b.value(node.skip, INT), last), type_)
        if node.take is not None:
            first = b.const(0, INT)
            rows = b.runtime("list_slice", (rows, first, b.value(node.take, INT)), type_)
        if self.plan.aggregate is None:
            return rows
        assert isinstance(self.plan.aggregate.callee, ast.Name)
        name = self.plan.aggregate.callee.name
        return length_of(b, rows) if name == "count" else aggregate(b, name, rows)


EXPRESSIONS: ExpressionRules = {ast.Query: _query}
