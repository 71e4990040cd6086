"""Assignments that update in place: `xs = append(xs, v)` and `s = s + t`.

A list or a string that is not shared is extended in place. For a variable in SSA
form that follows from counting references. A global, a captured variable, an element or a field
holds a reference of its own, so the place is vacated first: it is about to be assigned anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    BOOL,
    INT,
    STRING,
    VOID,
    WORD,
    ListType,
    MapType,
    Type,
    optional_of,
)
from mochi_rules.compiler.irbuild.access import (
    checked_index,
    find_entry,
    insert_entry,
    map_key,
)
from mochi_rules.compiler.irbuild.operators import as_text, concat_lists, few_items
from mochi_rules.compiler.names.symbols import Builtin, Variable
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder


class _Place:
    """A place in memory: its value, how to vacate it and how to store into it."""

    def __init__(
        self, value: Value, vacate: Callable[[Value], None], store: Callable[[Value], None]
    ) -> None:
        self.value = value
        self.vacate = vacate
        self.store = store


def assign_in_place(b: FunctionBuilder, node: ast.Assign) -> bool:
    """Build an assignment that extends its own target in memory; False where it does not."""
    addition = _addition_to(node.target, node.value)
    if addition is None or not _is_pure(node.target):
        return False
    added, is_append = addition
    place = _place(b, node.target, is_append=is_append)
    if place is None:
        return False
    place.store(_extend(b, place, added, is_append=is_append))
    return True


def _extend(b: FunctionBuilder, place: _Place, added: ast.Expr, *, is_append: bool) -> Value:
    type_ = place.value.type
    if is_append:
        assert isinstance(type_, ListType)
        item = b.value(added, type_.element)
        place.vacate(place.value)
        return b.emit("list.append", (place.value, item), type_)
    if type_ is STRING:
        text = as_text(b, b.expression(added))
        place.vacate(place.value)
        return b.emit("string.concat", (place.value, text), STRING)
    more = b.value(added, type_)
    items = few_items(b, more)
    place.vacate(place.value)
    return concat_lists(b, place.value, more, items)


def _can_extend(type_: Type, *, is_append: bool) -> bool:
    return isinstance(type_, ListType) or (type_ is STRING and not is_append)


def _addition_to(target: ast.Expr, value: ast.Expr) -> tuple[ast.Expr, bool] | None:
    """Return what is added to a target, and whether by append."""
    match value:
        case ast.Call(callee=ast.Name(decl=Builtin(name="append" | "push")), args=[first, added]):
            return (added, True) if _same(target, first) else None
        case ast.Binary(op="+"):
            return (value.right, False) if _same(target, value.left) else None
        case _:
            return None


def _same(one: ast.Expr, other: ast.Expr) -> bool:
    """Whether two expressions name the same place."""
    pairs = [(one, other)]
    while pairs:
        match pairs.pop():
            case (ast.Name() as left, ast.Name() as right) if left.decl is not None:
                is_same = left.decl is right.decl
            case (ast.IntLit() | ast.StringLit() as left, ast.IntLit() | ast.StringLit() as right):
                is_same = left.value == right.value
            case (ast.Index() as left, ast.Index() as right):
                is_same = True
                pairs += [(left.index, right.index), (left.base, right.base)]
            case (ast.Field() as left, ast.Field() as right):
                is_same = left.name == right.name
                pairs.append((left.base, right.base))
            case (ast.Binary() as left, ast.Binary() as right):
                is_same = left.op == right.op
                pairs += [(left.right, right.right), (left.left, right.left)]
            case _:
                is_same = False
        if not is_same:
            return False
    return True


def _is_pure(node: ast.Expr) -> bool:
    """Whether an expression may be evaluated once instead of twice."""
    parts = [node]
    while parts:
        match parts.pop():
            case ast.Name(decl=Variable()) | ast.IntLit() | ast.StringLit():
                pass
            case ast.Index() as part:
                parts += [part.index, part.base]
            case ast.Field() as part:
                parts.append(part.base)
            case ast.Binary() as part:
                parts += [part.right, part.left]
            case _:
                return False
    return True


def _place(b: FunctionBuilder, target: ast.Expr, *, is_append: bool) -> _Place | None:
    if isinstance(target, ast.Name):
        type_ = resolve(target.decl.type)
        return _variable_place(b, target) if _can_extend(type_, is_append=is_append) else None
    assert isinstance(target, (ast.Index, ast.Field))
    base_type = resolve(target.base.cell)
    if isinstance(target, ast.Field):
        return _field_place(b, target, base_type, is_append=is_append)
    if isinstance(base_type, ListType) and _can_extend(base_type.element, is_append=is_append):
        return _element_place(b, target, base_type)
    if isinstance(base_type, MapType) and _can_extend(base_type.value, is_append=is_append):
        return _entry_place(b, target, base_type, is_append=is_append)
    return None


def _variable_place(b: FunctionBuilder, target: ast.Name) -> _Place | None:
    variable = target.decl
    if variable.is_global:
        name = b.program.global_name(variable)
        return _Place(
            b.read(variable, target),
            lambda old: _do(b.emit("global.vacate", (old,), VOID, name)),
            lambda new: b.write(variable, new),
        )
    if variable.needs_cell and variable in b.env:
        cell = b.env[variable]
        return _Place(
            b.read(variable, target),
            lambda old: _do(b.emit("cell.vacate", (cell, old))),
            lambda new: b.write(variable, new),
        )
    return None


def _element_place(b: FunctionBuilder, target: ast.Index, type_: ListType) -> _Place:
    xs = b.expression(target.base)
    index = checked_index(b, xs, b.value(target.index, INT), "list")
    return _Place(
        b.emit("list.load", (xs, index), type_.element),
        lambda old: _do(b.emit("list.vacate", (xs, index, old))),
        lambda new: _do(b.emit("list.store", (xs, index, new))),
    )


def _entry_place(
    b: FunctionBuilder, target: ast.Index, type_: MapType, *, is_append: bool
) -> _Place:
    m = b.expression(target.base)
    key = map_key(b, b.expression(target.index), type_)
    if is_append:  # a missing key counts as an empty list
        entry = insert_entry(b, m, key)
        found = b.emit("entry.load", (m, entry), optional_of(type_.value))
        ways = b.branch(b.emit("is_null", (found,), BOOL))
        value = b.choose(
            ways,
            lambda: b.emit("list.new", (), type_.value),
            lambda: b.emit("any.cast", (found,), type_.value),
        )
    else:
        entry = b.emit("check.some", (find_entry(b, m, key),), WORD)
        value = b.emit("entry.load", (m, entry), type_.value)

    def again() -> Value:  # the value may have made the map move its entries
        return insert_entry(b, m, key)

    return _Place(
        value,
        lambda old: _do(b.emit("entry.vacate", (m, again(), old))),
        lambda new: _do(b.emit("entry.store", (m, again(), new))),
    )


def _field_place(
    b: FunctionBuilder, target: ast.Field, base_type: Type, *, is_append: bool
) -> _Place | None:
    struct = b.struct_of(base_type)
    if struct is None or target.name not in struct.cells:
        return None
    type_ = resolve(struct.cells[target.name])
    if not _can_extend(type_, is_append=is_append):
        return None
    base = b.expression(target.base)
    attr = b.program.field_attribute(struct, target.name)
    return _Place(
        b.emit("field.load", (base,), type_, attr),
        lambda old: _do(b.emit("field.vacate", (base, old), VOID, attr)),
        lambda new: _do(b.emit("field.store", (base, new), VOID, attr)),
    )


def _do(value: Value) -> None:
    """Forget that an instruction without a result is a value."""
    del value
