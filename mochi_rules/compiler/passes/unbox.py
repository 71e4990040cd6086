"""Splits numbers that may be null into whether they are there and what they are.

`int?` is a tagged word: the number is put in, perhaps into an object, and taken out again. A
parameter of a block that only gets null and numbers, of which others only ask for one or the
other, becomes two parameters.

Requires no reference counts yet. Gives parameters that need none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.facts import substitute
from mochi_rules.compiler.ir.function import Jump, Value
from mochi_rules.compiler.ir.types import BOOL, FLOAT, SCALARS, WORD, OptionalType, Type
from mochi_rules.compiler.passes.linked import drop_spoiled

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Block, Function
    from mochi_rules.compiler.passes.context import Context

_PARTS = frozenset({"is_null", "any.cast", "check.some"})  # each asks for one of the two parts


def unbox(function: Function, context: Context) -> None:
    """Split the parameters of the blocks of a function."""
    params = [p for block in function.blocks for p in block.params if _inner(p.type)]
    if not params:
        return
    facts = context.facts(function)
    split = _split(function, params, facts.uses)
    parts = {param: _parts_of(param) for param in params if param in split}
    if parts:
        _replace(function, parts)
        facts.forget_uses()


def _inner(type_: Type) -> Type | None:
    """Return the type of the number that a value may be, if there is one."""
    is_number = isinstance(type_, OptionalType) and type_.inner in SCALARS
    return type_.inner if is_number else None  # type: ignore[attr-defined]


def _parts_of(param: Value) -> tuple[Value, Value]:
    inner = _inner(param.type)
    assert inner is not None
    return Value("param", (), BOOL, name=param.name), Value("param", (), inner, name=param.name)


def _split(
    function: Function, params: list[Value], uses: dict[Value, list[Value | Block]]
) -> set[Value]:
    """Return the parameters of which only the parts are made and used."""
    found = set(params)
    asked = (
        param for param in params for use in uses.get(param, ())
        if isinstance(use, Value) and not _is_part(use, param)
    )  # fmt: skip
    drop_spoiled(found, function.blocks, asked, _is_made)
    return found


def _is_part(use: Value, param: Value) -> bool:
    return use.op in _PARTS and (use.op == "is_null" or use.type is _inner(param.type))


def _is_made(param: Value, arg: Value) -> bool:
    """Whether both parts of what is passed for a parameter are known."""
    return arg.op == "null" or (arg.op == "any.of" and arg.args[0].type is _inner(param.type))


def _replace(function: Function, parts: dict[Value, tuple[Value, Value]]) -> None:
    numbers: dict[Value, Value] = {}  # what was taken out, and what it is
    for block in function.blocks:
        code: list[Value] = []
        for value in block.code:
            if value.args and value.args[0] in parts:
                _use_part(value, parts[value.args[0]], code, numbers)
            else:
                code.append(value)
        block.code = code
        if isinstance(block.end, Jump):
            block.end.args = _passed(block, block.end, parts)
    for block in function.blocks:
        block.params = [part for param in block.params for part in parts.get(param, (param,))]
    substitute(function, numbers)


def _use_part(
    value: Value, parts: tuple[Value, Value], code: list[Value], numbers: dict[Value, Value]
) -> None:
    """Append what an instruction that asks for a part becomes."""
    there, number = parts
    if value.op == "is_null":
        value.op, value.args = "not", (there,)
        code.append(value)
        return
    numbers[value] = number
    if value.op == "check.some":
        word = Value("word.of_bool", (there,), WORD)
        code += [word, Value("check.some", (word,), WORD, site=value.site)]


def _passed(block: Block, end: Jump, parts: dict[Value, tuple[Value, Value]]) -> list[Value]:
    """Return what a jump passes now; constants go to the end of its block."""
    args: list[Value] = []
    for param, arg in zip(end.target.params, end.args, strict=True):
        if param not in parts:
            args.append(arg)
        elif arg in parts:
            args += parts[arg]
        else:
            is_there = Value("const", (), BOOL, int(arg.op != "null"))
            number = arg.args[0] if arg.args else _zero(parts[param][1].type)
            block.code += [is_there] if arg.args else [is_there, number]
            args += [is_there, number]
    return args


def _zero(type_: Type) -> Value:
    return Value("const", (), type_, 0.0 if type_ is FLOAT else 0)
