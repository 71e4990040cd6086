"""What instructions do to values: effects before references are counted, and those of calls.

A list or a string is extended in place only where it is not shared. So as long as values are
values, and their references not counted yet, nothing ever changes a list's length or a string.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import replace
from mochi_rules.compiler.ir.function import Return, effects_of
from mochi_rules.compiler.ir.ops import (
    ANYTHING,
    BYTES,
    COUNTS,
    GLOBALS,
    HEAP,
    LENGTH,
    NOTHING,
    OPS,
    TRAPS,
    Effects,
)
from mochi_rules.compiler.runtime.effects import LIBRARY_EFFECTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mochi_rules.compiler.ir.function import Function, Value

_FOREIGN = replace(ANYTHING, writes=ANYTHING.writes - LENGTH - BYTES)
_LIBRARY = replace(_FOREIGN, writes=_FOREIGN.writes - GLOBALS)  # it calls no function of programs
_EXTENDS = Effects(HEAP, COUNTS, (0,), frees=True, allocates=True)
_OWN = {
    "list.append": _EXTENDS, "list.reserve": _EXTENDS, "string.concat": _EXTENDS,
    "string.reserve": _EXTENDS,
    "closure.call": _FOREIGN, "call.indirect": _FOREIGN,
}  # fmt: skip
# By operation, where they are those of every instruction of it.
SETTLED = {
    name: _OWN.get(name, op.effects)
    for name, op in OPS.items()
    if name in _OWN.keys() - {"closure.call"} or not (op.milder or name in ("call", "closure.call"))
}
CLOSURES = "closure.call"  # stands among callees for every function that is a value


def summarize(functions: Mapping[str, Function]) -> dict[str, Effects]:
    """Return the effects of every function of a program, and of a call of any function value.

    A call never moves up, since it may not terminate.
    """
    found: dict[str, Effects] = {}
    callers: dict[str, set[str]] = {}
    values: set[str] = set()
    for name, function in functions.items():
        own: set[Effects] = set()
        for value in (value for block in function.blocks for value in block.code):
            if value.op in ("closure.new", "symbol"):
                values.add(value.attr)
            callee = CLOSURES if value.op == CLOSURES else value.attr
            if value.op == CLOSURES or (value.op == "call" and callee in functions):
                callers.setdefault(callee, set()).add(name)
            else:
                own.add(own_effects(value))
        if not any(isinstance(block.end, Return) for block in function.blocks):
            own.add(TRAPS)  # without a result that anybody could miss, it must still run
        found[name] = _union(own)
    found[CLOSURES] = _union(())
    for name in sorted(values):
        callers.setdefault(name, set()).add(CLOSURES)
    work = list(found)
    while work:
        name = work.pop()
        for caller in sorted(callers.get(name, ())):
            whole = _union((found[caller], found[name]))
            if not _are_equal(whole, found[caller]):
                found[caller] = whole
                work.append(caller)
    return found


def own_effects(value: Value) -> Effects:
    """Return the effects of an instruction; a call is one of the runtime library.

    As long as references are not counted: a length is that of a value, whatever is appended.
    """
    settled = SETTLED.get(value.op)
    if settled is not None:
        return settled
    if value.op == "call":
        return LIBRARY_EFFECTS.get(value.attr, _LIBRARY)
    return _OWN.get(value.op) or effects_of(value)


def _union(found: Collection[Effects]) -> Effects:
    """Return what a call may do that does all of that; it is pinned."""
    return Effects(
        NOTHING.union(*(effects.reads for effects in found)),
        NOTHING.union(*(effects.writes for effects in found)),
        traps=any(effects.traps for effects in found),
        frees=any(effects.frees for effects in found),
        allocates=any(effects.allocates for effects in found),
        pinned=True,
    )


def _are_equal(a: Effects, b: Effects) -> bool:
    names = ("reads", "writes", "traps", "frees", "allocates")
    return all(getattr(a, name) == getattr(b, name) for name in names)
