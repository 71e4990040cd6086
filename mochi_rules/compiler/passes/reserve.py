"""Reserves room before a loop that appends to a list or a string a known number of times.

What grows by doubling moves often, and leaves blocks behind that only others like it can use.
A loop that counts up by one to a bound from outside, has no other way out, and ends each turn
with a list that it has appended to, appends as often as it counts. So it is with a string and
the bytes of the constants that are appended to it.

Requires that no references are counted yet. Adds `list.reserve` and `string.reserve` before such
loops; they do nothing where the room would be very large, for the loop may still stop the
program, and the former where the list is shared, for the loop may still change it under another
name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Branch, Jump, Value, int_constant
from mochi_rules.compiler.ir.types import INT, STRING, ListType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Block, Function
    from mochi_rules.compiler.passes.context import Context

    # A list or a string, and how many elements or bytes were appended to it.
    _Appended = tuple[Value | None, int]

RESERVES = {"list.append": "list.reserve", "string.concat": "string.reserve"}
_STEPS = frozenset({"add", "add.checked"})


def reserve(function: Function, context: Context) -> None:
    """Reserve room for the loops of a function that append to lists and strings."""
    facts = context.facts(function)
    for header, body in facts.flow.loops.items():
        ways, counter = _ways_in(header, body, facts), _counter(header, body, facts)
        if ways is None or counter is None:
            continue
        entry, begin, again = ways
        place, limit = counter
        if _is_successor(again.args[place], header.params[place]):
            turns = (limit, begin.args[place])
            for number, appends in _appended(header, again, facts):
                begin.args[number] = _reserved(entry, begin.args[number], turns, appends)
    facts.forget_uses()


def _ways_in(header: Block, body: set[Block], facts: Facts) -> tuple[Block, Jump, Jump] | None:
    """Return where a loop is entered from and the jumps that begin it and its turns.

    None where there are several.
    """
    sources = facts.flow.predecessors[header]
    entries = [source for source in sources if source not in body]
    ends = [source.end for source in sources if source in body]
    if len(entries) != 1 or len(ends) != 1:
        return None
    begin, again = entries[0].end, ends[0]
    if not isinstance(begin, Jump) or not isinstance(again, Jump):
        return None
    return entries[0], begin, again


def _counter(header: Block, body: set[Block], facts: Facts) -> tuple[int, Value] | None:
    """Return which parameter of a loop counts up to what, where nothing else ends the loop."""
    end = header.end
    if not isinstance(end, Branch) or end.then not in body or end.otherwise in body:
        return None
    if any(target not in body for block in body - {header} for target in block.targets):
        return None
    condition = end.condition
    if condition.op != "lt" or condition.args[0] not in header.params:
        return None
    limit = condition.args[1]
    if limit.type is not INT or (limit.op != "const" and facts.homes[limit] in body):
        return None
    return header.params.index(condition.args[0]), limit


def _is_successor(value: Value, param: Value) -> bool:
    if value.op not in _STEPS or value.args[0] is not param:
        return False
    return value.args[1].op == "const" and value.args[1].attr == 1


def _reserved(entry: Block, xs: Value, turns: tuple[Value, Value], appends: int) -> Value:
    """Return what has room for all that a loop appends in the turns that it counts."""
    limit, first = turns
    bound = int_constant(limit.attr) if limit.op == "const" else limit
    count = Value("sub", (bound, first), INT)
    times = int_constant(appends)
    total = Value("mul", (count, times), INT)
    op = "string.reserve" if xs.type is STRING else "list.reserve"
    longer = Value(op, (xs, total), xs.type)
    entry.code += [*([] if bound is limit else [bound]), count, times, total, longer]
    return longer


def _appended(header: Block, again: Jump, facts: Facts) -> Iterator[tuple[int, int]]:
    """Return which parameters each turn appends to, and how many elements or bytes."""
    found: dict[Value, _Appended] = {param: (param, 0) for param in header.params}
    for place, (param, passed) in enumerate(zip(header.params, again.args, strict=True)):
        if not isinstance(param.type, ListType) and param.type is not STRING:
            continue
        work = [passed]
        while work:
            before = _before(work[-1], facts)
            unknown = [xs for xs in before if xs not in found]
            if work[-1] in found or not unknown:
                value = work.pop()
                found.setdefault(value, _merged(value, before, found))
            work += unknown
        start, appends = found[passed]
        if start is param and appends:
            yield place, appends


def _before(xs: Value, facts: Facts) -> list[Value]:
    """Return what it was in the same turn before an append, or on the ways that lead here."""
    if xs.op == "list.append" or piece_of(xs):
        return [xs.args[0]]
    block = facts.homes[xs]
    if xs.op != "param" or block in facts.flow.headers or xs not in block.params:
        return []
    place = block.params.index(xs)
    ends = [source.end for source in facts.flow.predecessors[block]]
    return [end.args[place] for end in ends if isinstance(end, Jump)]


def _merged(xs: Value, before: list[Value], found: dict[Value, _Appended]) -> _Appended:
    """Return what was appended to which one on every way to another."""
    ways = {found[one] for one in before}
    if len(ways) != 1:
        return None, 0
    ((start, appends),) = ways
    return start, appends + (xs.op == "list.append") + len(piece_of(xs))


def piece_of(value: Value) -> bytes:
    """Return the constant that a value appends to a string, or nothing."""
    if value.op != "string.concat" or value.args[1].op != "string":
        return b""
    piece: bytes = value.args[1].attr
    return piece
