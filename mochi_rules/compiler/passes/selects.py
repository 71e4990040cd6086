"""Chooses between two numbers without a branch, where nothing else depends on it.

A processor guesses which way a branch goes, and a wrong guess costs as much as twenty instructions.
Where both ways of a branch meet again at once, and do nothing but compute a few numbers, both are
computed, and a `select` takes one. Of a sum that may overflow, what is added is chosen: it or zero.
A branch that goes one way as a rule stays one: so does that on whether a number is a certain one,
unless it is a remainder, as of even numbers.

Requires that no later pass looks for what branches say about numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Branch, Jump, Value
from mochi_rules.compiler.ir.ops import CONSTANTS
from mochi_rules.compiler.ir.types import BOOL, INT, WORD
from mochi_rules.compiler.passes.tidy import tidy

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Block, Function
    from mochi_rules.compiler.passes.context import Context

_CHEAP = frozenset({"add", "sub", "and", "or", "xor", "shl", "shr", "shr_u", "neg", "not"})
_STEPS = frozenset({"add.checked", "sub.checked"})
_TYPES = frozenset({BOOL, INT, WORD})
_ORDERS = frozenset({"lt", "le", "gt", "ge", "lt_u", "le_u", "gt_u", "ge_u"})
_REMAINDERS = frozenset({"rem", "rem_u", "and"})
_FEW = 2  # operations on each way, and numbers to choose


def make_selects(function: Function, context: Context) -> None:
    """Replace branches of a function by selects."""
    facts = context.facts(function)
    while sum(map(_replace, facts.flow.blocks)):
        facts.forget_flow()
        tidy(function, context)


def _replace(block: Block) -> bool:
    """Replace the branch that ends a block where that can be; return whether it was."""
    branch = block.end
    if not isinstance(branch, Branch) or not _is_open(branch):
        return False
    then, otherwise = branch.then.end, branch.otherwise.end
    if not isinstance(then, Jump) or not isinstance(otherwise, Jump):
        return False
    if then.target is not otherwise.target:
        return False
    pairs = list(zip(then.args, otherwise.args, strict=True))
    names = zip(pairs, then.target.params, strict=True)
    choices = {(a, b): param.name for (a, b), param in names if a is not b}
    if len(choices) > _FEW or not all(a.type in _TYPES for a, _ in choices):
        return False
    steps = {pair: step for pair in choices if (step := _find_step(branch, *pair))}
    checked = set(steps.values())
    if not _is_cheap(branch.then, checked) or not _is_cheap(branch.otherwise, checked):
        return False
    ways = branch.then.code + branch.otherwise.code
    block.code += [value for value in ways if value not in checked]
    chosen = {}
    for (a, b), name in choices.items():
        step = steps.get((a, b))
        if step is None:
            chosen[a, b] = _select(block, branch.condition, a, b, name)
        else:
            _step(block, branch.condition, step, is_then=step is a)
            chosen[a, b] = step
    block.end = Jump(then.target, [chosen.get(pair, pair[0]) for pair in pairs])
    return True


def _select(block: Block, condition: Value, a: Value, b: Value, name: str = "") -> Value:
    value = Value("select", (condition, a, b), a.type, name=name)
    block.code.append(value)
    return value


def _find_step(branch: Branch, a: Value, b: Value) -> Value | None:
    """Return the sum that one way makes of what the other one passes, if it is used only there."""
    for step, before, way in ((a, b, branch.then), (b, a, branch.otherwise)):
        if step.op in _STEPS and step in way.code and step.args[0] is before:
            is_used = any(step in value.args for value in way.code)
            return step if not is_used and way.end_operands.count(step) == 1 else None
    return None


def _step(block: Block, condition: Value, step: Value, *, is_then: bool) -> None:
    """Add a sum to a block, of a number and what is chosen between another one and zero."""
    zero = Value("const", (), INT, 0)
    block.code.append(zero)
    before, added = step.args
    ways = (added, zero) if is_then else (zero, added)
    step.args = before, _select(block, condition, *ways)
    block.code.append(step)


def _is_open(branch: Branch) -> bool:
    """Whether nothing says which way a branch goes as a rule."""
    condition = branch.condition
    if branch.likely is not None:
        return False
    if condition.op in ("eq", "ne"):
        numbers = [value for value in condition.args if value.op != "const"]
        return len(numbers) == 2 or any(value.op in _REMAINDERS for value in numbers)
    return condition.op in _ORDERS


def _is_cheap(way: Block, checked: set[Value]) -> bool:
    """Whether a block does nothing but a few operations without effects, besides some sums."""
    code = [value for value in way.code if value.op not in CONSTANTS and value not in checked]
    return len(code) <= _FEW and all(value.op in _CHEAP and value.type in _TYPES for value in code)
