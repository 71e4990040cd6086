"""Rewrites a plan so that its loops run fewer iterations.

- A filter moves to the first loop that has all its variables.
- Equalities of a joined source with the rows before it become keys, which a hash join looks up. A
  source that does not depend on the rows is joined too, where a filter compares it like that.

What moves is total, and so is all that it moves past; and all that the rows run is quiet. So the
same rows come in the same order, and what stops the program is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import ANY, STRING, ListType, MapType, OptionalType
from mochi_rules.compiler.irbuild.queries.mentioned_variables import variables_of
from mochi_rules.compiler.irbuild.queries.plan import Key, Plan, Source
from mochi_rules.compiler.irbuild.queries.quiet import is_quiet
from mochi_rules.compiler.irbuild.queries.total import Known, is_total
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.irbuild.state import ProgramState
    from mochi_rules.compiler.names.symbols import Variable


def rewrite(program: ProgramState, plan: Plan) -> None:
    """Rewrite a plan in place."""
    if len(plan.sources) > 1 and is_quiet(program, *row_code(plan)):
        _Rewriter(program, plan).run()


def row_code(plan: Plan) -> list[object]:
    """Return what runs once the joined elements are known, up to the last row."""
    node = plan.node
    elements = [source.elements for source in plan.sources if not source.is_joined]
    conditions = [(source.conditions, source.filters) for source in plan.sources]
    results = node.group.keys if node.group is not None else [node.sort, plan.result]
    return [elements, conditions, results]


def _is_iterable(source: Source) -> bool:
    """Whether the value of a source can certainly be iterated over."""
    type_ = resolve(source.elements.cell)
    return type_ is STRING or isinstance(type_, (ListType, MapType))


def _has_no_null(source: Source) -> bool:
    """Whether the elements of a source are certainly not null."""
    type_ = resolve(source.elements.cell)
    return isinstance(type_, ListType) and not (
        type_.element is ANY or isinstance(type_.element, OptionalType)
    )


class _Rewriter:
    def __init__(self, program: ProgramState, plan: Plan) -> None:
        self.program = program
        self.plan = plan
        self.place = {source.variable: n for n, source in enumerate(plan.sources)}

        self.known = Known(program, frozenset())
        self.open: list[bool] = []  # whether filters may move past a source

    def run(self) -> None:
        present: set[Variable] = set()
        for number, source in enumerate(self.plan.sources):
            found = {source.variable} if _has_no_null(source) else set()
            self.known = Known(self.program, frozenset(present | found))
            self.open.append(self._lets_pass(source))
            source.conditions = self._take_keys(number, source.conditions)
            present |= set() if source.keeps_left else found
        self.known = Known(self.program, frozenset(present))
        if not self.plan.is_full:
            self._move_filters()

    def _is_total(self, node: ast.Expr) -> bool:
        return is_total(self.known, node)

    def _last_place(self, node: ast.Expr) -> int:
        """Return the number of the last source that an expression depends on; -1 for none."""
        return max((self.place.get(v, -1) for v in variables_of(node)), default=-1)

    def _lets_pass(self, source: Source) -> bool:
        """Return whether a loop may run for fewer rows, without a stop being missed."""
        return (
            source.is_joined or (_is_iterable(source) and self._is_total(source.elements))
        ) and all(map(self._is_total, source.conditions))

    # Keys

    def _take_keys(self, number: int, conditions: list[ast.Expr]) -> list[ast.Expr]:
        """Make the leading equalities keys of a source; return the other conditions."""
        others = []
        in_front = True
        for condition in conditions:
            in_front = in_front and self._is_total(condition)
            key = self._key(condition, number) if in_front else None
            if key is None:
                others.append(condition)
            else:
                self.plan.sources[number].keys.append(key)
        return others

    def _key(self, condition: ast.Expr, number: int) -> Key | None:
        """Return the key that a condition is between a source and those before it, or None."""
        if not isinstance(condition, ast.Binary) or condition.op != "==":
            return None
        variable = self.plan.sources[number].variable
        for probe, build in (
            (condition.left, condition.right),
            (condition.right, condition.left),
        ):
            of_build = variables_of(build) & self.place.keys()
            if of_build == {variable} and self._last_place(probe) < number:
                return Key(probe, build)
        return None

    # Filters

    def _move_filters(self) -> None:
        last = self.plan.sources[-1]
        filters, last.filters = last.filters, []
        in_front = True
        for condition in filters:
            in_front = in_front and self._is_total(condition)
            number = self._first_place(condition) if in_front else len(self.plan.sources) - 1
            source = self.plan.sources[number]
            key = self._key(condition, number) if in_front else None
            if key is not None and self._becomes_joined(number):
                source.keys.append(key)
            else:
                source.filters.append(condition)

    def _first_place(self, condition: ast.Expr) -> int:
        """Return the number of the first source whose rows can be filtered by a condition."""
        number = len(self.plan.sources) - 1
        least = max(0, self._last_place(condition))
        while number > least and self.open[number]:
            number -= 1
        return number

    def _becomes_joined(self, number: int) -> bool:
        """Join a source by a key, if it can be; return whether it is."""
        source = self.plan.sources[number]
        if source.is_joined:
            return not source.side
        elements = source.elements
        source.is_joined = (
            number > 0
            and isinstance(elements, (ast.Name, ast.Field))
            and isinstance(resolve(elements.cell), ListType)
            and self._is_total(elements)
            and self._last_place(elements) < 0
        )
        return source.is_joined
