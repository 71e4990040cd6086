"""Inference: what goes through the elements of a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mochi_rules.compiler.infer.cells import Cell
    from mochi_rules.compiler.infer.context import Inference
    from mochi_rules.compiler.names.symbols import ModuleScope
    from mochi_rules.compiler.syntax import ast


def iterate(inference: Inference, collection: Cell, variable: Cell, node: ast.Expr) -> None:
    """Record that a variable takes the elements of a collection.

    Emits: T022.
    """
    solver = inference.solver

    def action() -> None:
        cell = collection.find()
        if cell.kind in {"list", "map"}:
            solver.flow(cell.args[0], variable)
        elif cell.kind == "struct" and cell.of.items is not None:  # type: ignore[union-attr]
            solver.flow(cell.of.items.find().args[0], variable)  # type: ignore[union-attr]
        elif cell.kind in ("string", "any"):
            solver.learn(variable, cell.kind)

    def check(module: ModuleScope) -> None:
        kind = collection.find().kind
        if kind in ("int", "float", "bool", "fun"):
            message = f"cannot iterate over type `{collection}`"
            help_ = "count with a range: `for i in 0..n { … }`" if kind == "int" else ""
            inference.report(module, "T022", message, node, help_)

    solver.watch(action, collection)
    inference.check_later(check)
