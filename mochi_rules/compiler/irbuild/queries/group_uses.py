"""How a query uses its groups: if only by keys and aggregates, they need no elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field, fields
from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import ANY
from mochi_rules.compiler.irbuild.aggregates import Fold, fold_of
from mochi_rules.compiler.irbuild.queries.mentioned_variables import variables_of
from mochi_rules.compiler.irbuild.queries.plan import conjuncts
from mochi_rules.compiler.irbuild.queries.quiet import is_quiet
from mochi_rules.compiler.irbuild.queries.rewrite import row_code
from mochi_rules.compiler.irbuild.queries.total import Known, is_total
from mochi_rules.compiler.names.symbols import Builtin
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.irbuild.queries.plan import Plan
    from mochi_rules.compiler.irbuild.state import ProgramState
    from mochi_rules.compiler.names.symbols import Variable


@dataclass(slots=True, eq=False)
class GroupFold:
    """An aggregate of a group: of `value` for each element that the `filters` keep.

    The element is the value of `variable`; where `value` is None, it is aggregated itself.
    """

    node: ast.Expr
    fold: Fold
    variable: Variable | None = None
    filters: list[ast.Expr] = field(default_factory=list)
    value: ast.Expr | None = None

    @property
    def needs_row(self) -> bool:
        """Whether it depends on the elements, not only on how many there are."""
        return bool(self.fold.is_of_values or self.filters)


@dataclass(slots=True, eq=False)
class GroupUses:
    """The places in `having`, `sort by` and `select` that mention a group."""

    folds: list[GroupFold] = field(default_factory=list)
    keys: list[ast.Field] = field(default_factory=list)


def uses_of(program: ProgramState, plan: Plan, group: ast.QueryGroup) -> GroupUses | None:
    """Return the uses of a query's groups; None where it needs their elements.

    The aggregates are computed while the rows come. So they are total, and nothing that the rows
    and the groups run can change what they read.
    """
    finder = _Finder(program, plan, group)
    results = [group.having, plan.node.sort, plan.result]
    is_found = finder.find([*results, plan.node.skip, plan.node.take])
    return finder.uses if is_found and is_quiet(program, row_code(plan), results) else None


class _Finder:
    def __init__(self, program: ProgramState, plan: Plan, group: ast.QueryGroup) -> None:
        self.known = Known(program, frozenset())
        self.group = group
        struct = program.struct_by_name(str(resolve(group.variable.type)))
        assert struct is not None
        self.fields = struct.cells.keys() - {"items"}
        self.element = ANY if len(plan.sources) > 1 else resolve(plan.sources[0].variable.type)
        self.uses = GroupUses()

    def find(self, waiting: list[object]) -> bool:
        """Find the uses in some nodes; return whether there are no others."""
        while waiting:
            node = waiting.pop()
            if isinstance(node, (list, tuple)):
                waiting += node
            elif isinstance(node, ast.Node) and not self._is_use(node):
                if self._is_group(node):
                    return False
                waiting += [getattr(node, slot.name) for slot in fields(node)]
        return True

    def _is_group(self, node: object) -> bool:
        return isinstance(node, ast.Name) and node.decl is self.group.variable

    def _is_use(self, node: ast.Node) -> bool:
        """Add a node to the uses, if it is one."""
        if isinstance(node, ast.Field) and self._is_group(node.base) and not node.safe:
            if node.name in self.fields:
                self.uses.keys.append(node)
                return True
            found = GroupFold(node, Fold("count", ANY)) if node.name == "count" else None
        elif isinstance(node, ast.Call) and len(node.args) == 1:
            symbol = node.callee.decl if isinstance(node.callee, ast.Name) else None
            name = symbol.name if isinstance(symbol, Builtin) else ""
            found = self._fold(node, name, node.args[0])
        else:
            found = None
        if found is not None:
            self.uses.folds.append(found)
        return found is not None

    def _fold(self, node: ast.Call, name: str, of: ast.Expr) -> GroupFold | None:
        if self._is_group(of):
            fold = fold_of(name, self.element)
            return None if fold is None else GroupFold(node, fold)
        if not isinstance(of, ast.Query) or not self._is_plain(of):
            return None
        fold = fold_of(name, resolve(of.select.cell))
        if fold is None:
            return None
        filters = [] if of.where is None else conjuncts(of.where)
        return GroupFold(node, fold, of.sources[0].variable, filters, of.select)

    def _is_plain(self, query: ast.Query) -> bool:
        """Whether a query iterates over a group, and is total."""
        clauses = (query.group, query.sort, query.skip, query.take)
        if len(query.sources) != 1 or query.joins or query.distinct or any(clauses):
            return False
        used = variables_of(query.select, query.where)
        return (
            self._is_group(query.sources[0].source)
            and not used & {self.group.variable, *self.group.parts.values()}
            and all(is_total(self.known, e) for e in (query.select, query.where) if e is not None)
        )
