"""The plan of a query: the sources of its rows, in the order of the loops.

A plan begins as the query is written; `rewrite` changes it. Both mean the same rows in the same
order, and stop the program at the same place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.infer.queries import aggregate_of
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.names.symbols import Variable


@dataclass(slots=True, eq=False)
class Key:
    """An equality that a join looks up: of the rows so far, and of the source that is joined."""

    probe: ast.Expr
    build: ast.Expr


@dataclass(slots=True, eq=False)
class Source:
    """A loop: the elements of a list and the like, as the values of a variable.

    Where `is_joined`, the elements are evaluated once, before all loops, and visited by their
    index. With `keys`, only elements whose keys are equal are visited. An element counts where
    the `conditions` hold. On the `left` and `outer` side, null comes where none did. The `filters`
    are of the row with this element.
    """

    variable: Variable
    elements: ast.Expr
    is_joined: bool = False
    side: str = ""
    keys: list[Key] = field(default_factory=list)
    conditions: list[ast.Expr] = field(default_factory=list)
    filters: list[ast.Expr] = field(default_factory=list)

    @property
    def keeps_left(self) -> bool:
        """Whether a row without a match is kept, with null."""
        return self.side in ("left", "outer")


@dataclass(slots=True, eq=False)
class Plan:
    """`is_full`: after the loops come the elements of the last source that no row matched.

    `aggregate` is the call that makes a value of all rows.
    """

    node: ast.Query
    sources: list[Source]
    aggregate: ast.Call | None
    is_full: bool = False

    @property
    def result(self) -> ast.Expr:
        """What is evaluated for each row."""
        return self.aggregate.args[0] if self.aggregate else self.node.select


def plan_of(node: ast.Query) -> Plan:
    """Return the plan of a query as it is written."""
    plan = Plan(node, _sources(node), aggregate_of(node))
    if node.where is not None:
        plan.sources[-1].filters = conjuncts(node.where)
    plan.is_full = len(node.joins) == 1 and node.joins[0].side == "outer"
    return plan


def _sources(node: ast.Query) -> list[Source]:
    if len(node.sources) == len(node.joins) == 1 and node.joins[0].side == "right":
        (left,), (join,) = node.sources, node.joins
        swapped = Source(left.variable, left.source, is_joined=True, side="left",
                         conditions=conjuncts(join.condition))  # fmt: skip
        return [Source(join.variable, join.source), swapped]
    sources = [Source(source.variable, source.source) for source in node.sources]
    for join in node.joins:
        side = "" if join.side == "right" else join.side
        joined = Source(join.variable, join.source, is_joined=True, side=side,
                        conditions=conjuncts(join.condition))  # fmt: skip
        sources.append(joined)
    return sources


def conjuncts(condition: ast.Expr) -> list[ast.Expr]:
    """Return what has to hold, in the order of evaluation."""
    found: list[ast.Expr] = []
    waiting = [condition]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Binary) and node.op == "&&":
            waiting += [node.right, node.left]
        else:
            found.append(node)
    return found
