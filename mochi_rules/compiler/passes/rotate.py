"""Tests the condition of a loop at its end: one jump in each iteration instead of two.

The condition is computed in front of the loop, and again where an iteration ends. Only innermost
loops whose first block does nothing but compute it, in a few operations, are rotated.

Requires that no later pass looks for what counts loops. Gives loops that begin with their bodies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.function import Block, Branch, Jump, Value, effects_of
from mochi_rules.compiler.ir.ops import CONSTANTS, PURE

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Function
    from mochi_rules.compiler.passes.context import Context

_FEW = 3  # operations of a condition


@dataclass(frozen=True, slots=True)
class _Loop:
    """A loop: its first block, what leads there from outside and inside, and where that leads."""

    header: Block
    entry: Block
    latch: Block
    inside: Block
    behind: Block


def rotate(function: Function, context: Context) -> None:
    """Rotate the innermost loops of a function."""
    facts = context.facts(function)
    loops = [loop for header in facts.flow.innermost if (loop := _find(facts, header))]
    results = [_rename_behind(facts, loop) for loop in loops]
    for loop, values in zip(loops, results, strict=True):
        _rotate(function, loop, values)
    if loops:
        moved = {loop.inside for loop in loops}
        function.blocks = [block for block in function.blocks if block not in moved]
        facts.forget_flow()


def _find(facts: Facts, header: Block) -> _Loop | None:
    """Return a loop by its first block, where it can be rotated."""
    body, sources, end = facts.flow.loops[header], facts.flow.predecessors[header], header.end
    if len(sources) != 2 or not isinstance(end, Branch):
        return None
    if (end.then in body) == (end.otherwise in body) or not _is_condition(facts, header):
        return None
    entry, latch = sorted(sources, key=body.__contains__)
    inside, behind = sorted(header.targets, key=body.__contains__, reverse=True)
    loop = _Loop(header, entry, latch, inside, behind)
    return loop if all(_can_rename(facts, loop, param) for param in header.params) else None


def _is_condition(facts: Facts, header: Block) -> bool:
    """Whether a block computes only what it branches on, without any effect."""
    code = [value for value in header.code if value.op not in CONSTANTS]
    return len(code) <= _FEW and all(
        effects_of(value) == PURE
        and all(facts.home_of(user) is header for user in facts.uses.get(value, ()))
        for value in code
    )


def _can_rename(facts: Facts, loop: _Loop, param: Value) -> bool:
    """Whether each use of a parameter comes behind the loop for certain, or inside it first."""
    dominates, header = facts.flow.dominates, loop.header
    places = {facts.home_of(user) for user in facts.uses.get(param, ())} - {header}
    return all(dominates(loop.inside, one) or dominates(loop.behind, one) for one in places)


def _rename_behind(facts: Facts, loop: _Loop) -> list[Value]:
    """Give the block behind a loop the parameters that are used there; return whose place."""
    results = []
    for param in loop.header.params:
        users = [
            user for user in facts.uses.get(param, ())
            if facts.flow.dominates(loop.behind, facts.home_of(user))
        ]  # fmt: skip
        if users:
            result = Value("param", (), param.type, name=param.name)
            loop.behind.params.append(result)
            results.append(param)
            for user in users:
                _use(user, param, result)
    return results


def _use(user: Value | Block, old: Value, new: Value) -> None:
    """Use one value in place of another."""

    def name(arg: Value) -> Value:
        return new if arg is old else arg

    if isinstance(user, Value):
        user.args = tuple(map(name, user.args))
    else:
        user.rename_end_operands(name)


def _rotate(function: Function, loop: _Loop, results: list[Value]) -> None:
    header, end = loop.header, loop.header.end
    assert isinstance(end, Branch)
    loop.entry.code += [value for value in header.code if value.op in CONSTANTS]
    code = [value for value in header.code if value.op not in CONSTANTS]
    header.code, header.end = loop.inside.code, loop.inside.end
    for source in (loop.entry, header if loop.latch is loop.inside else loop.latch):
        _test(function, source, (code, end), loop, results)


def _test(
    function: Function, source: Block, test: tuple[list[Value], Branch], loop: _Loop,
    results: list[Value],
) -> None:  # fmt: skip
    """End a block, which jumps to a loop, by a test of the loop's condition."""
    (code, branch), jump = test, source.end
    assert isinstance(jump, Jump)
    names = dict(zip(loop.header.params, jump.args, strict=True))
    for value in code:
        args = tuple(names.get(arg, arg) for arg in value.args)
        names[value] = Value(value.op, args, value.type, value.attr, value.site, value.name)
        source.code.append(names[value])
    again, leave = Block(), Block()
    again.end = jump
    leave.end = Jump(loop.behind, [names[param] for param in results])
    sides = (again, leave) if branch.then is loop.inside else (leave, again)
    condition = names.get(branch.condition, branch.condition)
    source.end = Branch(condition, *sides, branch.likely)
    function.blocks += sides
