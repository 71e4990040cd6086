"""Looks at a list itself where a cast makes a copy that is only looked at.

A cast to a list makes a list of its own, so that a change of one is not seen in the other. In a
function that changes no elements, nor calls what does, nobody sees whether there is a copy, as
long as it stays there.

Requires that no references are counted yet, and gains most after `inline`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.function import Value
from mochi_rules.compiler.ir.ops import CELLS, ELEMENTS, ENTRIES, FIELDS, GLOBALS, KEYS

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Block, Function
    from mochi_rules.compiler.passes.context import Context

_COPIES, _VIEWS = "list_cast", "list_view"
_LOOKS = frozenset({"list.len", "list.load"})
_KEEPS = ELEMENTS | KEYS | ENTRIES | FIELDS | CELLS | GLOBALS  # where a list can stay


def share(function: Function, context: Context) -> None:
    """Make no copies that a function only looks at."""
    code = [value for block in function.blocks for value in block.code]
    copies = [value for value in code if value.op == "call" and value.attr == _COPIES]
    if not copies or any(context.effects(value).writes & ELEMENTS for value in code):
        return
    uses = context.facts(function).uses
    for copy in copies:
        if all(_only_looks(user, context) for user in uses.get(copy, ())):
            copy.attr = _VIEWS
            if _COPIES in context.signatures:
                context.signatures[_VIEWS] = context.signatures[_COPIES]


def _only_looks(user: Value | Block, context: Context) -> bool:
    """Whether an instruction lets a list go nowhere, neither as its result nor into memory."""
    if not isinstance(user, Value):
        return False
    if user.op == "call":
        return not (user.type.is_counted or context.effects(user).writes & _KEEPS)
    return user.op in _LOOKS
