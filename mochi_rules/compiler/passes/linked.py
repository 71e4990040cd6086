"""Values that are replaced together with what jumps pass for them, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Jump

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mochi_rules.compiler.ir.function import Block, Value


def drop_spoiled(
    found: set[Value],
    blocks: Iterable[Block],
    spoiled: Iterable[Value],
    fits: Callable[[Value, Value], bool] = lambda _param, _arg: False,
) -> None:
    """Drop from `found` the spoiled values, and those that jumps pass for them or them for.

    A value that the end of a block uses in another way is spoiled too. What is passed for a
    parameter of `found`, and is not one itself, spoils it unless it `fits`.
    """
    linked: dict[Value, list[Value]] = {}
    work = [*spoiled]
    for block in blocks:
        if not isinstance(block.end, Jump):
            work += block.end_operands
            continue
        for param, arg in zip(block.end.target.params, block.end.args, strict=True):
            if param in found and arg in found:
                linked.setdefault(param, []).append(arg)
                linked.setdefault(arg, []).append(param)
            elif not (param in found and fits(param, arg)):
                work += (param, arg)
    while work:
        value = work.pop()
        if value in found:
            found.remove(value)
            work += linked.get(value, ())
