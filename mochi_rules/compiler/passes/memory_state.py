"""What memory holds at a point of a function, as versions: two loads of one version are equal.

A place is a kind of memory, or one field, variable or type of list in it. What writes a place
gives it a new version; where control flow joins, so does every place that any path there writes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.ops import CELLS, ELEMENTS, FIELDS, GLOBALS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.cfg import Flow
    from mochi_rules.compiler.ir.function import Block, Value
    from mochi_rules.compiler.ir.ops import Effects, Kinds

Place = tuple[str, object]  # a kind and a part of it; None stands for the parts that have no name

_ALL = "all"  # a part whose version changes with that of any other
# How operations name the part of memory that they read or write.
_PARTS: dict[str, tuple[frozenset[str], Callable[[Value], object]]] = {
    "list.load": (ELEMENTS, lambda value: value.args[0].type),
    "list.store": (ELEMENTS, lambda value: value.args[0].type),
    "list.swap": (ELEMENTS, lambda value: value.args[0].type),
    "list.vacate": (ELEMENTS, lambda value: value.args[0].type),
    "field.load": (FIELDS, lambda value: value.attr),
    "field.store": (FIELDS, lambda value: value.attr),
    "field.vacate": (FIELDS, lambda value: value.attr),
    "cell.load": (CELLS, lambda value: value.type),
    "cell.store": (CELLS, lambda value: value.args[1].type),
    "cell.vacate": (CELLS, lambda value: value.args[1].type),
    "global.load": (GLOBALS, lambda value: value.attr),
    "global.store": (GLOBALS, lambda value: value.attr),
    "global.vacate": (GLOBALS, lambda value: value.attr),
}


def written_places(value: Value, effects: Effects) -> tuple[Place, ...]:
    """Return the places that an instruction gives new versions."""
    if value.op not in _PARTS:
        return _written(effects.writes)
    kinds, part = _PARTS[value.op]
    named = [(kind, name) for kind in effects.writes & kinds for name in (part(value), _ALL)]
    return (*named, *_written(effects.writes - kinds))


@cache
def _written(kinds: Kinds) -> tuple[Place, ...]:
    return tuple((kind, name) for kind in sorted(kinds) for name in (None, _ALL))


def read_places(value: Value, effects: Effects) -> tuple[Place, ...]:
    """Return the places whose versions say what an instruction reads."""
    if value.op not in _PARTS:
        return _read(effects.reads)
    kinds, part = _PARTS[value.op]
    named = [(kind, name) for kind in effects.reads & kinds for name in (None, part(value))]
    return (*named, *_read(effects.reads - kinds))


@cache
def _read(kinds: Kinds) -> tuple[Place, ...]:
    return tuple((kind, _ALL) for kind in sorted(kinds))


def writes_of(flow: Flow, effects: Callable[[Value], Effects]) -> dict[Block, set[Place]]:
    """Return the places that each block writes."""
    return {
        block: {place for value in block.code for place in written_places(value, effects(value))}
        for block in flow.blocks
    }


class Writes:
    """Which places are written on the paths from a block's dominator to the block.

    Blocks are asked for in the order of the dominator tree, so that a merge on the way has been
    answered for before, unless a loop leads there.
    """

    def __init__(self, flow: Flow, effects: Callable[[Value], Effects]) -> None:
        self._flow = flow
        self._within = writes_of(flow, effects)
        self._between: dict[Block, set[Place]] = {}

    def before(self, block: Block) -> set[Place]:
        """Return the places that any path to a block writes after its dominator."""
        dominator = self._flow.dominator.get(block)
        sources = self._flow.predecessors[block]
        written: set[Place] = set()
        if dominator is None or sources == [dominator]:
            return written
        seen: set[Block | None] = {dominator}
        ways = list(sources)
        while ways:
            way = ways.pop()
            if way in seen:
                continue
            seen.add(way)
            written |= self._within[way]
            if way in self._between:
                written |= self._between[way]
                ways.append(self._flow.dominator[way])
            else:
                ways += self._flow.predecessors[way]
        self._between[block] = written
        return written
