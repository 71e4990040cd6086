"""What memory holds at a point of a function, as versions: two loads of one version are equal.

A place is a kind of memory, or one field, variable or type of list in it. What writes a place
gives it a new version; where control flow meets, every place that any way there writes does too.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.ops import CELLS, ELEMENTS, FIELDS, GLOBALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mochi_rules.compiler.ir.cfg import Flow
    from mochi_rules.compiler.ir.function import Block, Value
    from mochi_rules.compiler.ir.ops import Effects

Place = tuple[str, object]  # a kind and a part of it; None stands for the parts that have no name
State = dict[Place, int]

_ALL = "all"  # a part whose version changes with that of any other
# How operations name the part of memory that they read or write.
_PARTS: dict[str, tuple[frozenset[str], Callable[[Value], object]]] = {
    "list.load": (ELEMENTS, lambda value: value.args[0].type),
    "list.store": (ELEMENTS, lambda value: value.args[0].type),
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


def _written(value: Value, effects: Effects) -> Iterable[Place]:
    """Return the places that an instruction gives new versions."""
    if not effects.writes:
        return ()
    kinds, part = _PARTS.get(value.op, (frozenset(), None))
    found: list[Place] = []
    for kind in sorted(effects.writes):
        named = part(value) if part and kind in kinds else None
        found += [(kind, named), (kind, _ALL)]
    return found


def version(value: Value, effects: Effects, state: State) -> tuple[int, ...]:
    """Return the version of all that an instruction reads."""
    if not effects.reads:
        return ()
    kinds, part = _PARTS.get(value.op, (frozenset(), None))
    found = []
    for kind in sorted(effects.reads):
        if part and kind in kinds:
            found += [state.get((kind, None), 0), state.get((kind, part(value)), 0)]
        else:
            found.append(state.get((kind, _ALL), 0))
    return tuple(found)


class Memory:
    """The states of a function's memory at the entries of its blocks, asked for in order."""

    def __init__(self, flow: Flow, effects: Callable[[Value], Effects]) -> None:
        self._flow = flow
        self._effects = effects
        self._numbers = count(1)
        self._written = {
            block: {place for value in block.code for place in self._places(value)}
            for block in flow.blocks
        }  # fmt: skip

    def enter(self, block: Block, before: State) -> State:
        """Return the state at the entry of a block; `before` is that at its dominator's end."""
        sources = self._flow.predecessors[block]
        dominator = self._flow.dominator.get(block)
        state = dict(before)
        if sources == [dominator] or dominator is None:
            return state
        written: set[Place] = set()
        seen: set[Block] = set()
        ways = list(sources)
        while ways:
            way = ways.pop()
            if way is not dominator and way not in seen:
                seen.add(way)
                written |= self._written[way]
                ways += self._flow.predecessors[way]
        self._renew(state, written)
        return state

    def write(self, value: Value, state: State) -> None:
        """Give what an instruction writes new versions."""
        self._renew(state, self._places(value))

    def _places(self, value: Value) -> Iterable[Place]:
        return _written(value, self._effects(value))

    def _renew(self, state: State, places: Iterable[Place]) -> None:
        number = next(self._numbers)
        state.update(dict.fromkeys(places, number))
