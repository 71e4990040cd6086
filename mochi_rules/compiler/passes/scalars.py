"""Replaces objects that never leave a function by what they consist of.

A struct of which only fields are read, wherever control flow takes it, is its fields: a parameter
of a block becomes one for each. A list that is only read has the length that it was made with;
`number` knows its elements then, and who has no use is removed.

Requires no reference counts yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.facts import substitute
from mochi_rules.compiler.ir.function import Jump, Value
from mochi_rules.compiler.ir.types import StructType
from mochi_rules.compiler.passes.linked import drop_spoiled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.compiler.ir.facts import Facts
    from mochi_rules.compiler.ir.function import Function, StructLayout
    from mochi_rules.compiler.passes.context import Context

_READS = frozenset({"list.len", "list.load"})
_MAX_FIELDS = 8  # a loop keeps so many values at hand


def replace_objects(function: Function, context: Context) -> None:
    """Replace the objects of a function."""
    code = [value for block in function.blocks for value in block.code]
    lists = [value for value in code if value.op == "list.new"]
    structs = [value for value in code if value.op == "struct.new"]
    facts = context.facts(function)
    if lists:
        _fold_lengths(lists, facts)
    if structs and context.program is not None:
        _split_structs(function, structs, facts, context.program.structs)


def _fold_lengths(lists: list[Value], facts: Facts) -> None:
    for made in lists:
        users = facts.uses.get(made, ())
        if all(isinstance(user, Value) and user.op in _READS for user in users):
            for user in users:
                if isinstance(user, Value) and user.op == "list.len":
                    user.op, user.args, user.attr = "const", (), len(made.args)
    facts.forget_uses()


def _split_structs(
    function: Function, made: list[Value], facts: Facts, layouts: Mapping[str, StructLayout]
) -> None:
    params = [param for block in function.blocks for param in block.params]
    found = {
        value
        for value in (*made, *params)
        if isinstance(value.type, StructType)
        and len(layouts[value.type.name].fields) <= _MAX_FIELDS
    }
    seen = (
        value
        for value in found
        for user in facts.uses.get(value, ())
        if isinstance(user, Value) and user.op != "field.load"
    )
    drop_spoiled(found, function.blocks, seen)
    parts: dict[Value, tuple[Value, ...]] = {}
    for value in found:
        fields = layouts[value.type.name].fields
        parts[value] = value.args if value.op == "struct.new" else tuple(
            Value("param", (), type_, name=name) for name, type_ in fields
        )  # fmt: skip
    if parts:
        _replace(function, parts)
        facts.forget_uses()


def _replace(function: Function, parts: Mapping[Value, tuple[Value, ...]]) -> None:
    fields: dict[Value, Value] = {}  # what was read, and what it is
    for block in function.blocks:
        code = []
        for value in block.code:
            if value.op == "field.load" and value.args[0] in parts:
                fields[value] = parts[value.args[0]][value.attr[1]]
            elif value not in parts:
                code.append(value)
        block.code = code
        block.params = [part for param in block.params for part in parts.get(param, (param,))]
        if isinstance(block.end, Jump):
            args = block.end.args
            block.end.args = [part for arg in args for part in parts.get(arg, (arg,))]
    substitute(function, fields)
