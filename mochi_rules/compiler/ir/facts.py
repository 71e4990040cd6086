"""What passes ask about a function: its control flow and its uses, found once and kept.

Code that changes a function declares what no longer holds: `forget_flow` after blocks or their ends
changed, `forget_uses` after instructions did. The sweeps below change many places at once.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.cfg import Flow
from mochi_rules.compiler.ir.function import Jump, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.compiler.ir.function import Block, Function


class Facts:
    """The facts about one function, each found when first asked for."""

    def __init__(self, function: Function) -> None:
        self.function = function

    @cached_property
    def flow(self) -> Flow:
        """Order, predecessors, dominators and loops."""
        return Flow(self.function)

    @cached_property
    def uses(self) -> dict[Value, list[Value | Block]]:
        """What uses each value: instructions, and blocks by their ends; once for each operand."""
        found: dict[Value, list[Value | Block]] = {}
        for block in self.flow.blocks:
            for value in block.code:
                for arg in value.args:
                    found.setdefault(arg, []).append(value)
            for arg in block.end_operands:
                found.setdefault(arg, []).append(block)
        return found

    @cached_property
    def homes(self) -> dict[Value, Block]:
        """The block that defines each value; parameters of the function are in the entry."""
        found = dict.fromkeys(self.function.params, self.function.entry)
        for block in self.flow.blocks:
            found.update(dict.fromkeys(block.params, block))
            found.update(dict.fromkeys(block.code, block))
        return found

    def home_of(self, user: Value | Block) -> Block:
        """Return the block in which something uses a value."""
        return self.homes[user] if isinstance(user, Value) else user

    def forget_flow(self) -> None:
        """Blocks, or their ends, have changed."""
        self.__dict__.pop("flow", None)
        self.forget_uses()

    def forget_uses(self) -> None:
        """Instructions, or what they use, have changed."""
        self.__dict__.pop("uses", None)
        self.__dict__.pop("homes", None)


def substitute(function: Function, others: Mapping[Value, Value]) -> None:
    """Use other values instead of some everywhere, in one sweep; chains are followed."""
    resolved: dict[Value, Value] = {}

    def final(value: Value) -> Value:
        chain = []
        while value in others and value not in resolved:
            chain.append(value)
            value = others[value]
        value = resolved.get(value, value)
        resolved.update(dict.fromkeys(chain, value))
        return value

    for block in function.blocks if others else ():
        block.rename_operands(others, final)


def without_params(block: Block, sources: list[Block], dropped: set[Value]) -> None:
    """Drop parameters of a block, and what the jumps of `sources` pass for them."""
    kept = [param not in dropped for param in block.params]
    for source in sources:
        assert isinstance(source.end, Jump)
        source.end.args = [arg for arg, stays in zip(source.end.args, kept, strict=True) if stays]
    block.params = [param for param in block.params if param not in dropped]
