"""Removes unused values, and unused parameters of blocks.

A loop has a parameter for every variable that it assigns; those whose value only feeds itself are
removed here, before references are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.facts import without_params
from mochi_rules.compiler.ir.function import Branch, Jump, Return

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Function, Value
    from mochi_rules.compiler.passes.context import Context


def prune(function: Function, context: Context) -> None:
    """Remove unused values and parameters, and blocks that nothing reaches."""
    facts = context.facts(function)
    if len(facts.flow.blocks) < len(function.blocks):
        reached = set(facts.flow.blocks)
        function.blocks = [block for block in function.blocks if block in reached]
    needed = _needed(function, context)
    for block in function.blocks:
        block.code = [value for value in block.code if value in needed]
        unused = set(block.params) - needed
        if unused:
            without_params(block, facts.flow.predecessors[block], unused)
    facts.forget_uses()


def _needed(function: Function, context: Context) -> set[Value]:
    """Return the values that have an effect, and those that these or the control flow use."""
    sources: dict[Value, list[Value]] = {}  # parameter -> what jumps pass for it
    work: list[Value] = []
    for block in function.blocks:
        work += [value for value in block.code if not context.effects(value).is_removable]
        match block.end:
            case Jump(target=target, args=args):
                for param, arg in zip(target.params, args, strict=True):
                    sources.setdefault(param, []).append(arg)
            case Branch(condition=condition):
                work.append(condition)
            case Return(value=result) if result is not None:
                work.append(result)
    needed: set[Value] = set()
    while work:
        value = work.pop()
        if value not in needed:
            needed.add(value)
            work.extend(value.args)
            work.extend(sources.get(value, ()))
    return needed
