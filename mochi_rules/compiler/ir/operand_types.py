"""Checks instructions against the signatures of their operations; see ops.py.

A capital letter in a signature is a type, the same one in the whole row. `T?` is a T that may be
null, and also a type that has null already, such as any.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.ops import OPS
from mochi_rules.compiler.ir.types import (
    BOOL,
    FLOAT,
    INT,
    NULL,
    VOID,
    WORD,
    FunType,
    ListType,
    MapType,
    OptionalType,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mochi_rules.compiler.ir.function import Program, Value
    from mochi_rules.compiler.ir.types import Type

_VARIADIC = "..."
_INDICES = frozenset({"check.index", "check.upper", "index.known"})


def type_faults(value: Value, program: Program | None) -> Iterator[str]:
    """Return how an instruction differs from the signature of its operation.

    With a program, also how it differs from the function or the struct that it names.
    """
    op = OPS.get(value.op)
    if op is None:
        yield f"unknown operation {value.op}"
        return
    patterns = split_types(op.args)
    if op.arity is not None and len(value.args) != op.arity:
        yield f"{value.op} with {len(value.args)} arguments"
        return
    bound: dict[str, Type] = {}
    result = op.result or VOID.name
    pairs = zip([pattern.partition(": ")[2] for pattern in patterns], value.args, strict=False)
    found = [_matches(pattern, arg.type, bound) for pattern, arg in pairs if pattern]
    if not all(found) or not _matches(result, value.type, bound):
        yield f"{value.op} of {_listed(value.args)} gives {value.type}"
    if value.op in _ATTRIBUTES:
        yield from _ATTRIBUTES[value.op](value, program)


@cache
def split_types(text: str) -> tuple[str, ...]:
    """Split a list at the commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        depth += (sign in "<(") - (sign in ">)")
        if sign == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 2
    return (*parts, text[start:]) if text else ()


def _matches(pattern: str, type_: Type, bound: dict[str, Type]) -> bool:
    if len(pattern) == 1:
        return bound.setdefault(pattern, type_) is type_
    if pattern.endswith("?"):
        inner = type_.inner if isinstance(type_, OptionalType) else type_
        return _matches(pattern[:-1], inner, bound) or _matches(pattern[:-1], type_, bound)
    head, _, rest = pattern.partition("<")
    if not rest:
        return type_.name == pattern
    inner_patterns = split_types(rest.removesuffix(">"))
    match type_:
        case ListType():
            return head == "list" and _matches(inner_patterns[0], type_.element, bound)
        case MapType():
            return (
                head == "map"
                and _matches(inner_patterns[0], type_.key, bound)
                and _matches(inner_patterns[1], type_.value, bound)
            )
        case _:
            return False


# What an attribute says


def _constant_faults(value: Value, program: Program | None) -> Iterator[str]:
    del program
    if not _is_constant(value.attr, value.type):
        yield f"a constant {value.attr!r} of {value.type}"


def _is_constant(attr: object, type_: Type) -> bool:
    if type_ is FLOAT:
        return isinstance(attr, float)
    return type_ in (INT, BOOL, WORD) and isinstance(attr, int)


def _callee_faults(value: Value, program: Program | None) -> Iterator[str]:
    if program is None:
        return
    callee = program.functions.get(value.attr)
    if callee is not None:
        params = tuple(param.type for param in callee.params)
        yield from _call_faults(value, value.args, params, callee.result)
        return
    signature = program.signatures.get(value.attr)
    if signature is None:
        yield f"a call of {value.attr}, which does not exist"
    else:
        yield from _call_faults(value, value.args, signature.params, signature.result)


def _closure_faults(value: Value, program: Program | None) -> Iterator[str]:
    del program
    type_ = value.args[0].type
    if isinstance(type_, FunType):
        yield from _call_faults(value, value.args[1:], type_.params, type_.result)
    else:
        yield f"a call of {type_}"


def _call_faults(
    value: Value, args: tuple[Value, ...], params: tuple[Type, ...], result: Type
) -> Iterator[str]:
    fits = len(args) == len(params) and all(
        _fits(arg.type, param) for arg, param in zip(args, params, strict=True)
    )
    if not fits or not _fits(value.type, result):
        name = value.attr if value.op == "call" else "a function value"
        yield f"a call of {name} with {_listed(args)} that gives {value.type}"


def _fits(type_: Type, declared: Type) -> bool:
    """Whether a type is the declared one; objects are words to the runtime library."""
    return type_ is declared or (declared is WORD and (type_.is_counted or type_ is NULL))


def _listed(values: Iterable[Value]) -> str:
    return ", ".join(str(value.type) for value in values) or "nothing"


def _capture_faults(value: Value, program: Program | None) -> Iterator[str]:
    del program
    number, types = value.attr
    if types[number] is not value.type:
        yield f"capture {number}, a {types[number]}, as {value.type}"


def _field_faults(value: Value, program: Program | None) -> Iterator[str]:
    if program is None:
        return
    struct, number = value.attr
    _, type_ = program.structs[struct].fields[number]
    found = value.type if value.has_result else value.args[1].type
    if found is not type_:
        yield f"{value.op} of {struct}.{number}, a {type_}, as {found}"


def _struct_faults(value: Value, program: Program | None) -> Iterator[str]:
    if program is None:
        return
    types = [type_ for _, type_ in program.structs[value.attr].fields]
    if [arg.type for arg in value.args] != types:
        yield f"a {value.attr} of {_listed(value.args)}"


def _index_faults(value: Value, program: Program | None) -> Iterator[str]:
    if program is None:
        return
    for index in value.args[1:] if value.op == "list.swap" else value.args[1:2]:
        if index.op not in _INDICES:
            yield f"{value.op} at {index!r}, which nothing has checked"


_ATTRIBUTES: dict[str, Callable[[Value, Program | None], Iterator[str]]] = {
    "const": _constant_faults,
    "call": _callee_faults,
    "closure.call": _closure_faults,
    "closure.load": _capture_faults,
    "field.load": _field_faults,
    "field.store": _field_faults,
    "field.vacate": _field_faults,
    "struct.new": _struct_faults,
    **dict.fromkeys(("list.load", "list.store", "list.swap", "list.vacate"), _index_faults),
}
