"""Threads jumps: what passes a truth to a block that only branches on it goes where that leads.

A function that returns a bool leaves such a block where it is inlined, and so do `&&` and `||` as
values. A jump that passes a constant knows its way; any other branches by itself.

Requires nothing. The ways of the branch get parameters for those of the block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.function import Block, Branch, Jump, Value, renewed
from mochi_rules.compiler.ir.ops import CONSTANTS
from mochi_rules.compiler.ir.types import BOOL

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Function
    from mochi_rules.compiler.passes.context import Context


@dataclass(slots=True, eq=False)
class _Way:
    """A side of a branch: its block, and the parameters of the branching block used there."""

    block: Block
    params: list[Value]


def thread(function: Function, context: Context) -> None:
    """Thread the jumps of a function."""
    facts = context.facts(function)
    found = {block for block in facts.flow.blocks if block.params and _only_branches(facts, block)}
    if not found:
        return
    blocks = [*facts.flow.in_order(found | _find_forwarders(facts, found))]
    ways = {block: _ways(facts, block) for block in blocks if block in found}
    sources = {block: facts.flow.predecessors[block] for block in blocks}
    for block in reversed(blocks):
        facts.flow.dominator[block].code += block.code
    for block in blocks:
        if block in ways:
            function.blocks += _thread(block, sources[block], *ways[block])
        else:
            _forward(block, sources)
    function.blocks = [block for block in function.blocks if block not in sources]
    facts.forget_flow()


def _has_no_code(facts: Facts, block: Block) -> bool:
    return all(value.op in CONSTANTS for value in block.code) and block not in facts.flow.headers


def _only_branches(facts: Facts, block: Block) -> bool:
    """Whether a block only branches on a parameter, and each use of one lies behind one side."""
    end = block.end
    if not isinstance(end, Branch) or end.condition not in block.params:
        return False
    if not _has_no_code(facts, block):
        return False
    dominates = facts.flow.dominates
    homes = {facts.home_of(user) for param in block.params for user in facts.uses.get(param, ())}
    return all(
        dominates(end.then, home) or dominates(end.otherwise, home) for home in homes - {block}
    )


def _find_forwarders(facts: Facts, found: set[Block]) -> set[Block]:
    """Return the blocks that only pass their parameters on to those that only branch."""
    forwarders: set[Block] = set()
    for block in reversed(facts.flow.blocks):
        end = block.end
        if isinstance(end, Jump) and block.params and end.target in found | forwarders:
            users = {user for param in block.params for user in facts.uses.get(param, ())}
            if users <= {block} and _has_no_code(facts, block):
                forwarders.add(block)
    return forwarders


def _ways(facts: Facts, block: Block) -> tuple[_Way, _Way]:
    """Give the sides of a branch parameters of their own for those of its block."""
    end = block.end
    assert isinstance(end, Branch)
    return (
        _way(facts, block, end.then, Value("const", (), BOOL, 1)),
        _way(facts, block, end.otherwise, Value("const", (), BOOL, 0)),
    )


def _way(facts: Facts, block: Block, side: Block, truth: Value) -> _Way:
    assert isinstance(block.end, Branch)
    names: dict[Value, Value] = {}
    users = []
    for param in block.params:
        here = [
            user for user in facts.uses.get(param, ())
            if user is not block and facts.flow.dominates(side, facts.home_of(user))
        ]  # fmt: skip
        if here:
            users += here
            names[param] = truth if param is block.end.condition else renewed([param])[0]
    for user in users:
        if isinstance(user, Value):
            user.args = tuple(names.get(arg, arg) for arg in user.args)
        else:
            user.rename_end_operands(lambda value: names.get(value, value))
    passed = [param for param in names if names[param] is not truth]
    side.params = [names[param] for param in passed]
    if len(passed) < len(names):
        side.code.insert(0, truth)
    return _Way(side, passed)


def _thread(block: Block, sources: list[Block], then: _Way, otherwise: _Way) -> list[Block]:
    """Let what jumps to a block go on to one of its sides; return new blocks."""
    end = block.end
    assert isinstance(end, Branch)
    added: list[Block] = []
    for source in sources:
        assert isinstance(source.end, Jump)
        passed = dict(zip(block.params, source.end.args, strict=True))
        condition = passed[end.condition]
        jumps = [
            Jump(way.block, [passed[param] for param in way.params]) for way in (then, otherwise)
        ]
        if condition.op == "const":
            source.end = jumps[not condition.attr]
            continue
        edges = Block(), Block()
        for edge, jump in zip(edges, jumps, strict=True):
            edge.end = jump
        source.end = Branch(condition, *edges, end.likely)
        added += edges
    return added


def _forward(block: Block, sources: dict[Block, list[Block]]) -> None:
    """Let what jumps to a block go on to where it leads."""
    end = block.end
    assert isinstance(end, Jump)
    for source in sources[block]:
        assert isinstance(source.end, Jump)
        passed = dict(zip(block.params, source.end.args, strict=True))
        source.end = Jump(end.target, [passed.get(arg, arg) for arg in end.args])
    others = [source for source in sources[end.target] if source is not block]
    sources[end.target] = others + sources[block]
