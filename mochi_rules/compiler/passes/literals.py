"""Makes lists and maps of constants once, in front of the loops that only look at them.

A list or a map that is written down is made each time the program comes to it. Where a loop does
so in every iteration, and nothing changes the object or keeps it, one object serves them all.

Requires that no references are counted yet. Gains most after `inline`: small functions have tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Block, Value
from mochi_rules.compiler.ir.ops import CONSTANTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Function
    from mochi_rules.compiler.passes.context import Context

_MAKES = frozenset({"list.new", "map.new"})
_LOOKS = frozenset({"list.len", "list.load", "map.len", "map.find", "entry.load"})


def lift_literals(function: Function, context: Context) -> None:
    """Move lists and maps of constants in front of the loops of a function, inner loops first."""
    if not any(value.op in _MAKES for block in function.blocks for value in block.code):
        return
    facts = context.facts(function)
    flow = facts.flow
    making = {block for block in flow.blocks if any(value.op in _MAKES for value in block.code)}
    for header, body in reversed(flow.loops.items()):
        entry = flow.entry_of(header)
        latches = [source for source in flow.predecessors[header] if source in body]
        if entry is None:
            continue
        for block in flow.in_order(body & making):
            if all(flow.dominates(block, latch) for latch in latches):
                for parts in list(_literals(facts, block)):
                    _move(facts, parts, block, entry)
                    making.add(entry)
    facts.forget_uses()


def _literals(facts: Facts, block: Block) -> Iterator[list[Value]]:
    """Return the instructions that make each list or map of constants that is only looked at."""
    for value in block.code:
        if value.op in _MAKES and (value.args or value.op == "map.new"):
            parts = _parts(facts, value, block)
            if parts and all(_is_constant(arg, parts) for part in parts for arg in part.args):
                yield parts


def _is_constant(value: Value, parts: list[Value]) -> bool:
    return value.op in CONSTANTS or value in parts


def _parts(facts: Facts, made: Value, block: Block) -> list[Value]:
    """Return what makes an object and fills it, in order; nothing where more is done with it."""
    parts = {made}
    for user in facts.uses.get(made, ()):
        if isinstance(user, Block) or made in user.args[1:]:
            return []
        if (
            user.op == "map.insert"
            and all(
                isinstance(store, Value) and store.op == "entry.store" for store in facts.uses[user]
            )
        ) or user.op == "entry.store":
            parts.add(user)
        elif user.op not in _LOOKS:
            return []
    found = [value for value in block.code if value in parts]
    if len(found) < len(parts) or (made.op == "map.new" and len(found) == 1):
        return []
    between = block.code[block.code.index(made) : block.code.index(found[-1])]
    is_filled_first = not any(made in value.args for value in between if value not in parts)
    return found if is_filled_first else []


def _move(facts: Facts, parts: list[Value], block: Block, entry: Block) -> None:
    block.code = [value for value in block.code if value not in parts]
    for part in parts:
        args = []
        for arg in part.args:
            copy = Value(arg.op, (), arg.type, arg.attr) if arg.op in CONSTANTS else arg
            if copy is not arg:
                entry.code.append(copy)
                facts.homes[copy] = entry
            args.append(copy)
        part.args = tuple(args)
        facts.uses.setdefault(part, [])
        for arg in args:
            facts.uses.setdefault(arg, []).append(part)
        entry.code.append(part)
        facts.homes[part] = entry
