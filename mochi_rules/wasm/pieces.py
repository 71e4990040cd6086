"""The pieces of a body: instructions, and bytes that stand for several.

Bytes are encoded instructions that are bound to no module, so whoever makes functions encodes them
at once, and the encoder copies them. Whoever reads instructions has them decoded here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mochi_rules.wasm.reader.read_code import read_unbound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mochi_rules.wasm.module import Instruction, Piece


def instructions_of(body: Iterable[Piece]) -> Iterator[Instruction]:
    """Yield the instructions of a body one by one."""
    for piece in body:
        if isinstance(piece, bytes):
            yield from _decode(piece)
        else:
            yield piece


@lru_cache(1 << 14)  # programs share most
def _decode(data: bytes) -> tuple[Instruction, ...]:
    return tuple(read_unbound(data))
