"""Inference: elements, slices and fields, read and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.compiler.infer.calls import member
from mochi_rules.compiler.infer.cells import PERHAPS, STORED, Cell
from mochi_rules.compiler.infer.methods import as_function
from mochi_rules.compiler.infer.records import field_names
from mochi_rules.compiler.names.symbols import ForeignModule, ModuleScope, Variable
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.infer.context import ExpressionRules, Inference

_SCALARS = ("int", "float", "bool", "fun")
_NO_INDEX = ("string", "bool", "list", "map")


def map_key(inference: Inference, key: Cell, keys: Cell) -> None:
    """Record that a value is a key of a map: an int, or anything as text.

    Where ints are declared, others are compared with them when the program runs.
    """

    def action() -> None:
        kind = key.find().kind
        if not kind or keys.find().fixed:
            return
        inference.solver.learn(keys, "int" if kind == "int" else "string")
        if keys.find().kind == "any":  # ints and text: keys are text
            keys.find().kind = "string"

    inference.solver.watch(action, key)


def store_key(inference: Inference, node: ast.Expr, key: Cell, keys: Cell) -> None:
    """Record that something is stored under a key: one that is in the program, or any."""
    map_key(inference, key, keys)
    if isinstance(node, ast.StringLit):
        inference.solver.add_name(keys, node.value.decode(errors="replace"))
    else:
        inference.solver.open(keys)


# Elements


def _index(inference: Inference, node: ast.Index) -> Cell:
    base, index = inference.expression(node.base), inference.expression(node.index)
    result, solver = Cell(), inference.solver

    def action() -> None:
        cell = base.find()
        if cell.kind == "list":
            solver.flow(cell.args[0], result)
        elif cell.kind == "map":
            map_key(inference, index, cell.args[0])
            solver.flow(cell.args[1], result)
            solver.make_nullable(result, PERHAPS)
        elif cell.kind in ("string", "any"):
            solver.learn(result, cell.kind)
        elif cell.kind in ("struct", "union"):
            solver.escape(cell)
            solver.learn(result, "any")

    solver.watch(action, base)
    inference.check_later(lambda module: _check_index(inference, module, node, base, index))
    return result


def _check_index(
    inference: Inference, module: ModuleScope, node: ast.Index, base: Cell, index: Cell
) -> None:
    kind = base.find().kind
    if kind in _SCALARS:
        message = f"type `{base}` does not support indexing"
        inference.report(module, "T018", message, node)
    elif kind in ("list", "string") and index.find().kind in _NO_INDEX:
        message = f"index must be an integer, got `{index}`"
        inference.report(module, "T015", message, node.index)


def store_element(inference: Inference, target: ast.Index, value_node: ast.Expr) -> None:
    """Infer `base[index] = value`.

    Emits: T018.
    """
    solver = inference.solver
    base, index = inference.expression(target.base), inference.expression(target.index)
    if base.find().kind in ("list", "map"):
        inference.expect(value_node, base.find().args[-1])
    value = inference.expression(value_node)

    def action() -> None:
        cell = base.find()
        if cell.kind == "list":
            inference.flow(value, cell.args[0], value_node)
        elif cell.kind == "map":
            store_key(inference, target.index, index, cell.args[0])
            inference.flow(value, cell.args[1], value_node)
        elif cell.kind == "any":
            solver.store_dynamically(value)

    def check(module: ModuleScope) -> None:
        if base.find().kind not in ("list", "map", "any", ""):
            message = f"cannot assign to an element of a `{base}`"
            if base.find().kind == "string":
                message += ": strings never change"
            inference.report(module, "T018", message, target)

    inference.watch(action, base)
    inference.check_later(check)


def _slice(inference: Inference, node: ast.Slice) -> Cell:
    result = Cell()
    for part in (node.low, node.high, node.step):
        if part is not None:
            inference.expression(part)
    inference.solver.flow(inference.expression(node.base), result)
    return result


# Fields


def _field(inference: Inference, node: ast.Field) -> Cell:
    owner = node.base.decl if isinstance(node.base, ast.Name) else None
    if owner is not None and not isinstance(owner, Variable):
        found = member(inference, node, owner)
        if found is not None:
            return found
    base, result, solver = inference.expression(node.base), Cell(), inference.solver

    def action() -> None:
        cell = base.find()
        if cell.kind == "struct":
            if node.name in cell.contents:
                solver.flow(cell.contents[node.name], result)
            else:
                _field_by_role(inference, cell, node.name, result)
        elif cell.kind == "map":
            map_key(inference, Cell("string"), cell.args[0])
            solver.flow(cell.args[1], result)
            solver.make_nullable(result, PERHAPS)
        elif cell.kind in ("any", "union"):
            solver.escape(cell)
            solver.learn(result, "any")

    solver.watch(action, base)
    inference.check_later(lambda module: _check_field(inference, module, node, base))
    return result


def _field_by_role(inference: Inference, cell: Cell, name: str, result: Cell) -> None:
    role = cell.of.role  # type: ignore[union-attr]
    if role == "row":
        for part in cell.contents.values():
            _field_of_part(inference, part, name, result)
    elif role == "group" and name == "count":
        inference.solver.learn(result, "int")


def _field_of_part(inference: Inference, part: Cell, name: str, result: Cell) -> None:
    """Record that a field may come from one of the records of a row."""
    solver = inference.solver

    def from_map() -> None:
        cell = part.find()
        keys = cell.args[0].find()
        if keys.is_open or name in keys.names:
            solver.flow(cell.args[1], result)
            solver.make_nullable(result, PERHAPS)

    def action() -> None:
        cell = part.find()
        if cell.kind == "map":
            solver.watch(from_map, cell.args[0])
        elif name in cell.contents:
            solver.flow(cell.contents[name], result)
            if cell.nullable:
                solver.make_nullable(result, PERHAPS)
        elif cell.kind in ("any", "union") or getattr(cell.of, "role", "") == "row":
            solver.escape(cell)
            solver.make_any(result)

    solver.watch(action, part)


def store_field(inference: Inference, target: ast.Field, value_node: ast.Expr) -> None:
    """Infer `base.name = value`.

    Emits: T024, T026.
    """
    owner = target.base
    if isinstance(owner, ast.Name) and isinstance(owner.decl, (ModuleScope, ForeignModule)):
        message = f"cannot assign to `{target.name}` of the module `{owner.name}`"
        inference.error("T024", message, target)
        inference.expression(value_node)
        return
    base, solver = inference.expression(owner), inference.solver
    record = base.find()
    field = record.args[-1] if record.kind == "map" else record.contents.get(target.name)
    if field is not None:
        inference.expect(value_node, field)
    value = inference.expression(value_node)

    def action() -> None:
        cell = base.find()
        if cell.kind == "struct":
            if target.name in cell.contents:
                inference.flow(value, cell.contents[target.name], value_node)
        elif cell.kind == "map":
            map_key(inference, Cell("string"), cell.args[0])
            solver.add_name(cell.args[0], target.name)
            inference.flow(value, cell.args[1], value_node)
        elif cell.kind in ("any", "union"):
            solver.escape(cell)
            solver.flow(value, solver.stored)
            for struct in inference.annotations.structs_with(target.name):
                solver.flow(value, struct.cells[target.name], STORED)

    inference.watch(action, base)
    inference.check_later(lambda module: _check_stored(inference, module, target, base))


def _check_stored(inference: Inference, module: ModuleScope, target: ast.Field, base: Cell) -> None:
    cell = base.find()
    if getattr(cell.of, "role", "") == "group":
        message = f"cannot assign to `{target.name}` of a group"
        inference.report(module, "T024", message, target)
    else:
        _check_field(inference, module, target, base)


def _check_field(inference: Inference, module: ModuleScope, node: ast.Field, base: Cell) -> None:
    cell = base.find()
    if cell.kind in ("struct", "map", "union"):
        _check_record(inference, module, node, cell)
    elif cell.kind not in ("any", ""):
        message = f"type `{base}` has no field `{node.name}`"
        inference.report_name(module, "T026", message, node, as_function(node))


def _check_record(inference: Inference, module: ModuleScope, node: ast.Field, cell: Cell) -> None:
    """Report a field that no record of this shape has."""
    names = field_names(cell)
    if names is None or node.name in names or node.safe:
        return
    message = f"unknown field `{node.name}` on `{cell}`"
    help_ = did_you_mean(node.name, names) or (f"it has {listing(names)}" if names else "")
    inference.report_name(module, "T026", message, node, help_)


EXPRESSIONS: ExpressionRules = {
    ast.Index: _index,
    ast.Slice: _slice,
    ast.Field: _field,
}
