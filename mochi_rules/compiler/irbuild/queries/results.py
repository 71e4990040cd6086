"""Builds the result of the rows of a plan: a list, or an aggregate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import ANY, INT, VOID, ListType, Type
from mochi_rules.compiler.irbuild.queries.group_folds import FoldedGroups
from mochi_rules.compiler.irbuild.queries.group_uses import uses_of
from mochi_rules.compiler.irbuild.queries.groups import Groups
from mochi_rules.compiler.irbuild.queries.hidden import HiddenVariables
from mochi_rules.compiler.irbuild.queries.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.aggregates import Fold
    from mochi_rules.compiler.irbuild.context import FunctionBuilder
    from mochi_rules.compiler.irbuild.queries.plan import Plan
    from mochi_rules.compiler.syntax import ast

_LAST = 2**63 - 1  # the end of a slice without an end


def element_type(result: ast.Expr) -> Type:
    """Return the type of a query's rows."""
    type_ = resolve(result.cell)
    return ANY if type_ is VOID else type_


def rows_folded(b: FunctionBuilder, plan: Plan, fold: Fold) -> Value:
    """Return an aggregate of all rows, without a list of them."""
    hidden = HiddenVariables(b)
    kept = [hidden.new(fold.name, value) for value in fold.start(b)]

    def store(values: list[Value]) -> None:
        for key, value in zip(kept, values, strict=True):
            b.env[key] = value

    def collect() -> None:
        value = b.value(plan.result, element_type(plan.result))
        fold.update(b, value, lambda: [b.env[key] for key in kept], store)

    _loop(b, plan, hidden, collect)
    result = fold.result(b, [b.env[key] for key in kept])
    hidden.drop()
    return result


def rows_listed(b: FunctionBuilder, plan: Plan) -> Value:
    """Return the list of all rows, sorted and cut."""
    hidden = HiddenVariables(b)
    listed = None if plan.aggregate else resolve(plan.node.cell)
    element = listed.element if isinstance(listed, ListType) else element_type(plan.result)
    rows = hidden.new_list("rows", element)
    sort = plan.node.sort
    keys = hidden.new_list("keys", ANY)

    def collect() -> None:
        if sort is not None:
            hidden.append(keys, b.value(sort, ANY))
        hidden.append(rows, b.value(plan.result, element))

    _loop(b, plan, hidden, collect)
    result = _cut(b, plan.node, b.env[rows], b.env[keys])
    hidden.drop()
    return result


def _loop(
    b: FunctionBuilder, plan: Plan, hidden: HiddenVariables, collect: Callable[[], None]
) -> None:
    """Build the loops: `collect` runs for each row of the sources, or for each group."""
    group = plan.node.group
    if group is None:
        Rows(b, plan, hidden, collect).build()
        return
    uses = uses_of(b.program, plan, group)
    groups = (
        Groups(b, plan, group, hidden)
        if uses is None
        else FoldedGroups(b, plan, group, hidden, uses)
    )
    Rows(b, plan, hidden, groups.add).build()
    groups.each(collect)


def _cut(b: FunctionBuilder, node: ast.Query, rows: Value, keys: Value) -> Value:
    """Sort the rows, remove duplicates, and cut."""
    type_ = rows.type
    is_first = node.sort is not None and node.take is not None and not node.distinct
    if node.sort is not None and not is_first:
        rows = b.runtime("list_sort_by_keys", (rows, keys), type_)
    if node.distinct:
        rows = b.runtime("list_distinct", (rows,), type_)
    skip = b.value(node.skip, INT) if node.skip is not None else None
    take = b.value(node.take, INT) if node.take is not None else None
    first = b.const(0, INT)
    if is_first:
        assert take is not None
        rows = b.runtime("list_top_by_keys", (rows, keys, skip or first, take), type_)
    if skip is not None:
        rows = b.runtime("list_slice", (rows, skip, b.const(_LAST, INT)), type_)
    if take is not None:
        rows = b.runtime("list_slice", (rows, first, take), type_)
    return rows
