"""Merges chains of blocks: removes jumps to blocks without another predecessor.

Requires nothing. Leaves no unreachable block, and no parameter of a block with one predecessor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.facts import substitute
from mochi_rules.compiler.ir.function import Jump

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Block, Function, Value
    from mochi_rules.compiler.passes.context import Context


def tidy(function: Function, context: Context) -> None:
    """Merge blocks with their only successors, where these have no other predecessor."""
    flow = context.facts(function).flow
    merged: set[Block] = set()
    passed: dict[Value, Value] = {}
    for block in flow.blocks:
        if block in merged:
            continue
        while isinstance(block.end, Jump) and len(flow.predecessors[block.end.target]) == 1:
            end = block.end
            if end.target is block:
                break
            merged.add(end.target)
            passed.update(zip(end.target.params, end.args, strict=True))
            block.code += end.target.code
            block.end = end.target.end
    if merged or len(flow.blocks) < len(function.blocks):
        reached = set(flow.blocks) - merged
        function.blocks = [block for block in function.blocks if block in reached]
        substitute(function, passed)
        context.facts(function).forget_flow()
