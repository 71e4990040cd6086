"""Knows the lengths of the lists that global variables hold for ever, such as tables of directions.

A variable that the program sets once, to a list of so many elements, holds that list whenever a
function of the program reads it, where `main` sets it before it calls any. Only who has a list for
itself alone makes it longer or shorter, and the variable has it too: so its length is a constant.

Requires that no later pass empties a variable. Gains most before checks of indices are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.passes.context import Context

_CALLS = frozenset({"call", "closure.call", "call.indirect"})


def fix_lengths(context: Context) -> None:
    """Replace the lengths of lists that variables hold for ever by constants."""
    program = context.program
    if program is None or program.exports:
        return
    lists = _fixed_lists(context)
    if not lists:
        return
    values = set(lists.values())
    for value in _values(context):
        if value.op != "list.len":
            continue
        [xs] = value.args
        held = xs if xs in values else lists.get(xs.attr) if xs.op == "global.load" else None
        if held is not None:
            value.op, value.args, value.attr = "const", (), len(held.args)
    for function in context.functions.values():
        context.facts(function).forget_uses()


def _fixed_lists(context: Context) -> dict[str, Value]:
    """Return the variables that hold one list for ever, each with the operation that makes it."""
    assert context.program
    changes: dict[str, int] = {}
    for value in _values(context):
        if value.op in ("global.store", "global.vacate"):
            changes[value.attr] = changes.get(value.attr, 0) + 1
    found = {}
    for value in context.functions[context.program.main].entry.code:
        if value.op in _CALLS and (value.op != "call" or value.attr in context.functions):
            break
        if value.op == "global.store" and changes[value.attr] == 1:
            [xs] = value.args
            if xs.op == "list.new":
                found[value.attr] = xs
    return found


def _values(context: Context) -> Iterator[Value]:
    for function in context.functions.values():
        for block in function.blocks:
            yield from block.code
