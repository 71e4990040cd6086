"""Makes self-recursive tail calls loops.

Requires that no references are counted yet. The header of the loop has the parameters of the
function; it takes no stack, however often it iterates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.facts import substitute
from mochi_rules.compiler.ir.function import Block, Jump, Return, renewed

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Function, Value
    from mochi_rules.compiler.passes.context import Context


def loop_tail_calls(function: Function, context: Context) -> None:
    """Replace calls of a function by itself whose results it returns."""
    ends = [block for block in function.blocks if _is_tail_call(block, function)]
    if not ends:
        return
    header = function.entry
    header.params = renewed(function.params)
    for block in ends:
        block.end = Jump(header, list(block.code.pop().args))
    entry = Block()
    substitute(function, dict(zip(function.params, header.params, strict=True)))
    entry.end = Jump(header, list(function.params))
    function.blocks.insert(0, entry)
    context.facts(function).forget_flow()


def _is_tail_call(block: Block, function: Function) -> bool:
    """Whether a block ends with a call of the function, whose result is returned at once."""
    call = block.code[-1] if block.code else None
    if call is None or (call.op, call.attr) != ("call", function.name):
        return False
    end = block.end
    passed: dict[Value, Value] = {}
    seen: set[Block] = set()  # a loop may be empty
    while isinstance(end, Jump) and not end.target.code and end.target not in seen:
        seen.add(end.target)
        values = [passed.get(arg, arg) for arg in end.args]
        passed = dict(zip(end.target.params, values, strict=True))
        end = end.target.end
    if not isinstance(end, Return):
        return False
    if end.value is None:
        return not call.has_result
    return passed.get(end.value, end.value) is call
