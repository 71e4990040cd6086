"""Calls of methods: of structs and of values, and of functions in fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.compiler.infer.cells import PERHAPS, Cell
from mochi_rules.compiler.infer.records import field_names
from mochi_rules.compiler.names.builtins import BUILTINS, takes
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.infer.context import Inference
    from mochi_rules.compiler.names.symbols import ModuleScope


@dataclass(frozen=True, slots=True)
class ValueMethod:
    """A method that values have without being structs; `result` is as in builtins.py."""

    result: str
    receivers: tuple[str, ...]
    least: int
    most: int


VALUE_METHODS = {
    "contains": ValueMethod("bool", ("string", "list", "map"), 1, 1),
    "starts_with": ValueMethod("bool", ("string",), 1, 1),
    "ends_with": ValueMethod("bool", ("string",), 1, 1),
    "len": ValueMethod("int", ("string", "list", "map", "int", "float"), 0, 0),
    "keys": ValueMethod("keys", ("map",), 0, 0),
    "values": ValueMethod("values", ("map",), 0, 0),
    "get": ValueMethod("value", ("list", "map"), 1, 2),
    "padStart": ValueMethod("string", ("string",), 2, 2),
}
_DYNAMIC = ("struct", "union", "any", "")  # structs are maps, too
# Methods and fields of other languages, by the function that stands for them here.
_FUNCTIONS = {
    "length": "len", "size": "len", "add": "append", "to_string": "str", "toString": "str",
    "toUpperCase": "upper", "toLowerCase": "lower", "strip": "trim", "find": "indexOf",
    "sorted": "sort", "reversed": "reverse",
}  # fmt: skip
_STATEMENTS = {
    "map": "write a query: `from x in xs select …`",
    "filter": "write a query: `from x in xs where … select x`",
    "forEach": "write a loop: `for x in xs { … }`",
}


def method_call(inference: Inference, node: ast.Call, callee: ast.Field) -> Cell:
    """A struct's method, a value's method, or a function in a field: the receiver decides."""
    receiver = inference.expression(callee.base)
    method = receiver.find().methods.get(callee.name)
    if method is not None:
        inference.expect_all(node.args, map(inference.variable, method.params))
    args, result = [inference.expression(arg) for arg in node.args], Cell()
    field = callee.cell = Cell()
    name, solver = callee.name, inference.solver

    def action() -> None:
        cell = receiver.find()
        method = cell.methods.get(name)
        if method is not None:
            for arg, param, place in zip(args, method.params, node.args, strict=False):
                inference.flow(arg, inference.variable(param), place)
            solver.flow(method.result, result)
        elif name in cell.contents:
            solver.flow(cell.contents[name], field)
        elif cell.kind and name in VALUE_METHODS:
            _value_method(inference, cell, name, result)
        elif cell.kind == "map":
            solver.flow(cell.args[1], field)
        elif cell.kind in ("any", "union"):
            solver.learn(field, "any")

    inference.watch(action, receiver)
    inference.watch(lambda: _call_field(inference, field, args, result, node), field)
    inference.check_later(lambda module: _check_method(inference, module, receiver, node))
    return result


def _call_field(
    inference: Inference, field: Cell, args: list[Cell], result: Cell, node: ast.Call
) -> None:
    cell = field.find()
    if cell.kind == "fun":
        for arg, param, place in zip(args, cell.args[:-1], node.args, strict=False):
            inference.flow(arg, param, place)
        inference.solver.flow(cell.args[-1], result)
    elif cell.kind == "any":
        for arg in args:
            inference.solver.flow(arg, Cell("any"))
        inference.solver.learn(result, "any")


def _check_method(
    inference: Inference, module: ModuleScope, receiver: Cell, node: ast.Call
) -> None:
    cell, callee = receiver.find(), node.callee
    assert isinstance(callee, ast.Field)
    method, known = cell.methods.get(callee.name), VALUE_METHODS.get(callee.name)
    if method is not None:
        check_count(inference, module, node, len(method.params), len(method.params))
    elif callee.name in cell.contents:
        _check_field_call(inference, module, node, callee)
    elif known is not None and cell.kind in (*known.receivers, *_DYNAMIC):
        check_count(inference, module, node, known.least, known.most)
    else:
        names = field_names(cell)
        if names is None or callee.name in names:
            _check_field_call(inference, module, node, callee)
        elif cell.kind:
            message = f"type `{receiver}` has no method `{callee.name}`"
            fitting = {name for name, row in VALUE_METHODS.items() if cell.kind in row.receivers}
            similar = did_you_mean(callee.name, {*names, *cell.methods, *fitting})
            help_ = as_function(callee) or similar
            inference.report_name(module, "T026", message, callee, help_)


def as_function(node: ast.Field) -> str:
    """Return what to write for a method or field of other languages, or ""."""
    name = _FUNCTIONS.get(node.name, node.name)
    if name in BUILTINS and node.name not in VALUE_METHODS:
        return f"`{name}` is a function: write `{name}(…)`"
    return _STATEMENTS.get(node.name, "")


def _check_field_call(
    inference: Inference, module: ModuleScope, node: ast.Call, callee: ast.Field
) -> None:
    """Report a call of a field that is not a function, or takes fewer arguments."""
    cell = callee.cell.find()
    if cell.kind not in ("fun", "any", ""):
        message = f"type `{cell}` is not callable"
        inference.report_name(module, "T004", message, callee)
    elif cell.kind == "fun":
        check_most(inference, module, node, cell)


def check_most(inference: Inference, module: ModuleScope, node: ast.Call, function: Cell) -> None:
    """Report a call of a function value with more arguments than it takes."""
    most = len(function.args) - 1
    if len(node.args) > most:
        message = f"too many arguments: expected {most}, got {len(node.args)}"
        inference.report(module, "T006", message, node.args[most])


def check_count(
    inference: Inference, module: ModuleScope, node: ast.Call, least: int, most: int
) -> None:
    """Report a call of a method with fewer or more arguments than it takes."""
    if not least <= len(node.args) <= most:
        assert isinstance(node.callee, ast.Field)
        message = f"`{node.callee.name}` takes {takes(least, most)}, got {len(node.args)}"
        inference.report(module, "T006", message, node)


def _value_method(inference: Inference, receiver: Cell, name: str, result: Cell) -> None:
    rule = VALUE_METHODS[name].result
    if rule == "value" and receiver.kind == "map":
        inference.solver.flow(receiver.args[1], result)
        inference.solver.make_nullable(result, PERHAPS)
    elif rule in ("keys", "values") and receiver.kind == "map":
        inference.solver.learn(result, "list", (receiver.args[rule == "values"],))
    elif rule in ("bool", "int", "string"):
        inference.solver.learn(result, rule)
    else:
        inference.solver.escape(receiver)
        inference.solver.learn(result, "any")
