"""Passes the orders of characters to blocks that only compare them, instead of the characters.

A function that gives the next character of a text, or the empty string behind its end, leaves a
block whose parameter is a string, where it is inlined. Where that is only compared with characters,
its `string.order` is found where it comes from: there it lies in its text, or is known.

Requires nothing. Gains most before `number`, which folds the order of a character and of a literal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.facts import substitute
from mochi_rules.compiler.ir.function import Block, Jump, Value
from mochi_rules.compiler.ir.types import STRING, WORD

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Function
    from mochi_rules.compiler.passes.context import Context

_CHARACTERS = frozenset({"string.char", "string.cut", "byte.string", "string"})


def pass_orders(function: Function, context: Context) -> None:
    """Pass orders instead of characters in a function."""
    facts = context.facts(function)
    while found := [
        (block, param)
        for block in facts.flow.blocks
        for param in block.params
        if param.type == STRING and _is_compared(facts, block, param)
    ]:
        orders: dict[Value, Value] = {}
        for block, param in found:
            _pass(facts, block, param, orders)
        for block in facts.flow.blocks:
            block.code = [value for value in block.code if value not in orders]
        substitute(function, orders)
        facts.forget_uses()


def _is_compared(facts: Facts, block: Block, param: Value) -> bool:
    """Whether of a parameter only the order is wanted, and it is a character as a rule."""
    users = facts.uses.get(param, ())
    if not users or any(isinstance(u, Block) or u.op != "string.order" for u in users):
        return False
    args = [arg for _, arg in _sources(facts, block, param)]
    ops = {arg.op for arg in args}
    return ops <= _CHARACTERS | {"param"} and not ops <= {"param"}


def _sources(facts: Facts, block: Block, param: Value) -> list[tuple[Block, Value]]:
    """Return what is passed for a parameter, each with the block that does."""
    number = block.params.index(param)
    found = []
    for source in facts.flow.predecessors[block]:
        assert isinstance(source.end, Jump)
        found.append((source, source.end.args[number]))
    return found


def _pass(facts: Facts, block: Block, param: Value, orders: dict[Value, Value]) -> None:
    """Pass the order of a parameter in its place; `orders` gets what it stands for."""
    number = block.params.index(param)
    order = Value("param", (), WORD, name=param.name)
    for source, arg in _sources(facts, block, param):
        known = Value("string.order", (arg,), WORD)
        source.code.append(known)
        assert isinstance(source.end, Jump)
        source.end.args[number] = known
    block.params[number] = order
    orders.update((user, order) for user in facts.uses[param] if isinstance(user, Value))
