"""Inference: elements, slices and fields, read and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.compiler.infer.cells import PERHAPS, STORED, Cell
from mochi_rules.compiler.infer.records import field_names
from mochi_rules.compiler.names.symbols import Variable
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.infer.program import Inference
    from mochi_rules.compiler.names.symbols import ModuleScope

_SCALARS = ("int", "float", "bool", "fun")
_NO_INDEX = ("string", "bool", "list", "map")


class AccessRules:
    """What access to the parts of values says about types."""

    def __init__(self, inference: Inference) -> None:
        self.inference = inference
        self.solver = inference.solver
        self.elements: set[Variable] = set()  # of queries
        self.handlers: dict[type, Callable[[Any], Cell]] = {
            ast.Index: self._index, ast.Slice: self._slice, ast.Field: self._field,
        }  # fmt: skip

    def map_key(self, key: Cell, keys: Cell) -> None:
        """Say that a value is a key of a map: an int, or anything as text."""

        def action() -> None:
            kind = key.find().kind
            if kind:
                self.solver.learn(keys, "int" if kind == "int" else "string")
                if keys.find().kind == "any":  # ints and text: keys are text
                    keys.find().kind = "string"

        self.solver.watch(action, key)

    def store_key(self, node: ast.Expr, key: Cell, keys: Cell) -> None:
        """Say that something is stored under a key: one that stands in the program, or any."""
        self.map_key(key, keys)
        if isinstance(node, ast.StringLit):
            self.solver.add_name(keys, node.value.decode(errors="replace"))
        else:
            self.solver.open(keys)

    # Elements

    def _index(self, node: ast.Index) -> Cell:
        base, index = self.inference.expression(node.base), self.inference.expression(node.index)
        result, solver = Cell(), self.solver

        def action() -> None:
            cell = base.find()
            if cell.kind == "list":
                solver.flow(cell.args[0], result)
            elif cell.kind == "map":
                self.map_key(index, cell.args[0])
                solver.flow(cell.args[1], result)
                solver.make_nullable(result, PERHAPS)
            elif cell.kind in ("string", "any"):
                solver.learn(result, cell.kind)
            elif cell.kind in ("struct", "union"):
                solver.escape(cell)
                solver.learn(result, "any")

        solver.watch(action, base)
        self.inference.check_later(lambda module: self._check_index(module, node, base, index))
        return result

    def _check_index(self, module: ModuleScope, node: ast.Index, base: Cell, index: Cell) -> None:
        kind = base.find().kind
        if kind in _SCALARS:
            message = f"type `{base}` does not support indexing"
            self.inference.report(module, "T018", message, node)
        elif kind in ("list", "string") and index.find().kind in _NO_INDEX:
            message = f"index must be an integer, got `{index}`"
            self.inference.report(module, "T015", message, node.index)

    def store_element(self, target: ast.Index, value: Cell) -> None:
        """Infer `base[index] = value`.

        Emits: T018.
        """
        inference, solver = self.inference, self.solver
        base, index = inference.expression(target.base), inference.expression(target.index)

        def action() -> None:
            cell = base.find()
            if cell.kind == "list":
                solver.flow(value, cell.args[0])
            elif cell.kind == "map":
                self.store_key(target.index, index, cell.args[0])
                solver.flow(value, cell.args[1])
            elif cell.kind == "any":
                solver.store_dynamically(value)

        def check(module: ModuleScope) -> None:
            if base.find().kind not in ("list", "map", "any", ""):
                message = f"cannot assign to an element of a `{base}`"
                if base.find().kind == "string":
                    message += ": strings never change"
                inference.report(module, "T018", message, target)

        solver.watch(action, base)
        inference.check_later(check)

    def _slice(self, node: ast.Slice) -> Cell:
        result = Cell()
        for part in (node.low, node.high, node.step):
            if part is not None:
                self.inference.expression(part)
        self.solver.flow(self.inference.expression(node.base), result)
        return result

    # Fields

    def _field(self, node: ast.Field) -> Cell:
        owner = node.base.decl if isinstance(node.base, ast.Name) else None
        if owner is not None and not isinstance(owner, Variable):
            found = self.inference.calls.member(node, owner)
            if found is not None:
                return found
        base, result, solver = self.inference.expression(node.base), Cell(), self.solver

        def action() -> None:
            cell = base.find()
            if cell.kind == "struct":
                if node.name in cell.contents:
                    solver.flow(cell.contents[node.name], result)
                else:
                    self._field_by_role(cell, node.name, result)
            elif cell.kind == "map":
                self.map_key(Cell("string"), cell.args[0])
                solver.flow(cell.args[1], result)
                solver.make_nullable(result, PERHAPS)
            elif cell.kind in ("any", "union"):
                solver.escape(cell)
                solver.learn(result, "any")

        solver.watch(action, base)
        self.inference.check_later(lambda module: self._check_field(module, node, base))
        return result

    def _field_by_role(self, cell: Cell, name: str, result: Cell) -> None:
        role = cell.of.role  # type: ignore[union-attr]
        if role == "row":
            for part in cell.contents.values():
                self._field_of_part(part, name, result)
        elif role == "group" and name == "count":
            self.solver.learn(result, "int")

    def _field_of_part(self, part: Cell, name: str, result: Cell) -> None:
        """Say that a field may come from one of the records of a row."""
        solver = self.solver

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

    def _is_element(self, node: ast.Expr) -> bool:
        """Whether an expression is a variable of a query, or what a group or its elements have."""
        if isinstance(node, ast.Name):
            return node.decl in self.elements
        base = node.base.cell.find() if isinstance(node, ast.Field) and node.base.cell else None
        return base is not None and bool(getattr(base.of, "role", ""))

    def store_field(self, target: ast.Field, value: Cell) -> None:
        """Infer `base.name = value`.

        Emits: T024, T026, T027.
        """
        base, solver = self.inference.expression(target.base), self.solver

        def action() -> None:
            cell = base.find()
            if cell.kind == "struct":
                if target.name in cell.contents:
                    solver.flow(value, cell.contents[target.name])
            elif cell.kind == "map":
                self.map_key(Cell("string"), cell.args[0])
                solver.add_name(cell.args[0], target.name)
                solver.flow(value, cell.args[1])
            elif cell.kind in ("any", "union"):
                solver.escape(cell)
                solver.flow(value, solver.stored)
                for struct in self.inference.annotations.structs_with(target.name):
                    solver.flow(value, struct.cells[target.name], STORED)

        solver.watch(action, base)
        self.inference.check_later(lambda module: self._check_stored(module, target, base))

    def _check_stored(self, module: ModuleScope, target: ast.Field, base: Cell) -> None:
        cell = base.find()
        if getattr(cell.of, "role", "") == "group":
            message = f"cannot assign to `{target.name}` of a group"
            self.inference.report(module, "T024", message, target)
        else:
            self._check_field(module, target, base)

    def _check_field(self, module: ModuleScope, node: ast.Field, base: Cell) -> None:
        cell = base.find()
        if cell.kind in ("struct", "map"):
            self._check_record(module, node, cell)
        elif cell.kind not in ("map", "any", "union", ""):
            message = f"type `{base}` has no field `{node.name}`"
            self.inference.report(module, "T027", message, node)

    def _check_record(self, module: ModuleScope, node: ast.Field, cell: Cell) -> None:
        """Report a field that no record has. Only maps that are elements of a query are checked."""
        if node.name in cell.contents:
            return
        names = field_names(cell)
        if names is None or node.name in names or node.safe:
            return
        if cell.kind == "map" and not (names and self._is_element(node.base)):
            return
        message = f"unknown field `{node.name}` on `{cell}`"
        help_ = did_you_mean(node.name, names) or (f"it has {listing(names)}" if names else "")
        self.inference.report(module, "T026", message, node, help_)
