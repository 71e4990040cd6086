"""Finds what counts a loop: a parameter that moves by a constant towards a bound from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.function import Branch, Jump
from mochi_rules.compiler.ir.types import INT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.compiler.ir.cfg import Flow
    from mochi_rules.compiler.ir.function import Block, Value

_OPPOSITE = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}
_TURNED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_UPWARDS = frozenset({"lt", "le"})


@dataclass(frozen=True, slots=True)
class Guard:
    """A loop goes on while `param` is at most, or at least, `limit`, or not even equal to it."""

    param: Value
    limit: Value
    is_upper: bool
    is_inclusive: bool


@dataclass(frozen=True, slots=True)
class Counter:
    """A loop goes on while `param` has not reached `limit`; it begins at `first`.

    With `step` above 0 the loop counts up, else down; each iteration moves by that or more.
    """

    param: Value
    first: Value
    limit: Value
    step: int
    is_inclusive: bool  # whether there is an iteration at the limit itself


def guard_of(header: Block, body: set[Block], homes: Mapping[Value, Block]) -> Guard | None:
    """Return what the header of a loop compares with a value from outside."""
    end = header.end
    if not isinstance(end, Branch) or (end.then in body) == (end.otherwise in body):
        return None
    condition = end.condition
    if condition.op not in _OPPOSITE or condition.args[0].type is not INT:
        return None
    relation = condition.op if end.then in body else _OPPOSITE[condition.op]
    param, limit = condition.args
    if param not in header.params:
        param, limit, relation = limit, param, _TURNED[relation]
    if param not in header.params or (limit.op != "const" and homes[limit] in body):
        return None
    return Guard(param, limit, relation in _UPWARDS, relation in ("le", "ge"))


def counter_of(header: Block, guard: Guard, body: set[Block], flow: Flow) -> Counter | None:
    """Return the counter of a loop whose header compares it with the limit."""
    place = header.params.index(guard.param)
    first, steps = [], []
    for source in flow.predecessors[header]:
        assert isinstance(source.end, Jump)
        passed = source.end.args[place]
        if source in body:
            steps.append(_step(passed, guard.param))
        else:
            first.append(passed)
    if len(first) != 1 or not all(steps):
        return None
    step = min(steps) if guard.is_upper else max(steps)
    if (step > 0) is not guard.is_upper:
        return None
    return Counter(guard.param, first[0], guard.limit, step, guard.is_inclusive)


def _step(value: Value, param: Value) -> int:
    """Return by what constant a value is above a parameter, or 0."""
    op = value.op.removesuffix(".checked")
    if op not in ("add", "sub") or value.args[0] is not param or value.args[1].op != "const":
        return 0
    change = int(value.args[1].attr)
    return change if op == "add" else -change
