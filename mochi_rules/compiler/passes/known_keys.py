"""Where the keys of maps lie that the program writes down, as in `{name: "Ann", age: 30}`.

Such a map gets room for its keys at once, and they are put there without a search. Whoever looks
for one of these keys looks at first where it lies in most of these maps.

Requires that nothing is computed again from attributes. Gives: the room as the attribute of
`map.new`, and the number of the entry as that of `map.insert` where the key is new and its entry
the next one, and of `map.find` where that is likely.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import STRING

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Block, Value
    from mochi_rules.compiler.passes.context import Context

MOST = 8  # keys of a map that is looked through; see lower/object_layout.py


def place_known_keys(context: Context) -> None:
    """Place the keys that are known when maps are made."""
    blocks = [block for function in context.functions.values() for block in function.blocks]
    places: dict[bytes, Counter[int]] = {}
    for block in blocks:
        for m, inserts in _new_maps(block).items():
            for number, insert in enumerate(inserts):
                insert.attr = (number,)
                places.setdefault(insert.args[1].attr, Counter())[number] += 1
            m.attr = (len(inserts),) if inserts else None
    likely = {key: (counts.most_common(1)[0][0],) for key, counts in places.items()}
    for block in blocks:
        for value in block.code:
            if value.op == "map.find" and _is_known(value.args[1]):
                value.attr = likely.get(value.args[1].attr)


def _is_known(key: Value) -> bool:
    return key.op == "string" and key.type is STRING


def _new_maps(block: Block) -> dict[Value, list[Value]]:
    """Return the maps that a block makes, with what inserts different keys before other uses."""
    found: dict[Value, list[Value]] = {}
    fresh: dict[Value, set[bytes]] = {}
    for value in block.code:
        if value.op == "map.new":
            found[value], fresh[value] = [], set()
            continue
        for number, arg in enumerate(value.args):
            if arg in fresh and not _fills(value, number, fresh[arg]):
                del fresh[arg]
            elif arg in fresh and value.op == "map.insert":
                fresh[arg].add(value.args[1].attr)
                found[arg].append(value)
    return found


def _fills(value: Value, number: int, keys: set[bytes]) -> bool:
    """Whether an instruction puts a new key, or the value of one, into a map."""
    if value.op == "map.insert" and number == 0:
        key = value.args[1]
        return _is_known(key) and key.attr not in keys and len(keys) < MOST
    return value.op == "entry.store" and number == 0
