"""Stretches: instructions that are encoded once for many modules.

Whoever puts the same function into many modules joins those of its instructions that are bound to
no module. The encoder then copies bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.wasm.instruction import encode_unbound, is_bound
from mochi_rules.wasm.module import Stretch

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from mochi_rules.wasm.module import Instruction


def join_stretches(
    body: Iterable[Instruction], alone: Container[int] = ()
) -> tuple[list[Instruction], dict[int, int]]:
    """Join what means the same in every module.

    Args:
        body: The instructions of a function.
        alone: The positions of those that stay alone, whatever they are.

    Returns:
        The shorter body, and the new position of each instruction that stays alone.
    """
    joined: list[Instruction] = []
    positions: dict[int, int] = {}
    waiting: list[Instruction] = []
    for position, instruction in enumerate(body):
        if position in alone or instruction[0] == "loc" or is_bound(instruction):
            joined += _stretch(waiting)
            waiting = []
            positions[position] = len(joined)
            joined.append(instruction)
        else:
            waiting.append(instruction)
    joined += _stretch(waiting)
    return joined, positions


def expand_stretches(body: Iterable[Instruction]) -> Iterator[Instruction]:
    """Yield the instructions of a body one by one."""
    for instruction in body:
        if instruction[0] == "stretch":
            yield from instruction[1].instructions
        else:
            yield instruction


def _stretch(instructions: list[Instruction]) -> list[Instruction]:
    if len(instructions) < 2:
        return instructions
    data = b"".join(map(encode_unbound, instructions))
    return [("stretch", Stretch(tuple(instructions), data))]
