"""Copies of functions' bodies, with other values for their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Block, Branch, Jump, Return, Unreachable, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mochi_rules.compiler.ir.function import Function


def copy_blocks(
    blocks: Iterable[Block], values: dict[Value, Value], *, returns_to: Block | None = None
) -> dict[Block, Block]:
    """Return a copy of each block, by the original.

    `values` has what stands for values from outside, such as parameters, and gets the copies.
    With `returns_to`, a return becomes a jump there, with the value that it returns.
    """
    copies = {block: Block(block.site) for block in blocks}
    for block, copy in copies.items():
        copy.params = [_renew(param, ()) for param in block.params]
        copy.code = [_renew(value, ()) for value in block.code]
        values.update(zip((*block.params, *block.code), (*copy.params, *copy.code), strict=True))
    for block, copy in copies.items():
        for value, new in zip(block.code, copy.code, strict=True):
            new.args = tuple(values.get(arg, arg) for arg in value.args)
        copy.end = _copy_end(block, values, copies, returns_to)
    return copies


def _copy_end(
    block: Block, values: dict[Value, Value], copies: dict[Block, Block], returns_to: Block | None
) -> Jump | Branch | Return | Unreachable | None:
    operands: Sequence[Value] = [values.get(arg, arg) for arg in block.end_operands]
    match block.end:
        case Jump(target=target):
            return Jump(copies.get(target, target), list(operands))
        case Branch(then=then, otherwise=otherwise, likely=likely):
            return Branch(operands[0], copies[then], copies[otherwise], likely)
        case Return() if returns_to is not None:
            return Jump(returns_to, list(operands))
        case Return(site=site):
            return Return(operands[0] if operands else None, site)
        case _:
            return Unreachable()


def _renew(value: Value, args: tuple[Value, ...]) -> Value:
    return Value(value.op, args, value.type, value.attr, value.site, value.name)


def copy_function(function: Function) -> list[Block]:
    """Return a copy of a function's blocks, which uses the same parameters."""
    return list(copy_blocks(function.blocks, {}).values())
