"""Inference: literals, names, operators, casts, conditions, patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Severity
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.compiler.infer.access import store_key
from mochi_rules.compiler.infer.annotations import struct_named
from mochi_rules.compiler.infer.calls import (
    all_of,
    function_as_value,
    module_as_value,
    variant,
)
from mochi_rules.compiler.infer.cells import NULL, NUMBERS, SCALARS, Cell
from mochi_rules.compiler.names.symbols import (
    Alias,
    Builtin,
    ForeignModule,
    Function,
    ModuleScope,
    Struct,
    Union,
    Variable,
)
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import choices

if TYPE_CHECKING:
    from mochi_rules.compiler.infer.context import ExpressionRules, Inference

_COMPOSITES = frozenset({"list", "map", "struct", "union", "fun"})
_CONDITIONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"})
_EQUALITY = frozenset({"==", "!="})
_SINGLE = frozenset({"int", "float", "bool", "fun"})
_APART = frozenset({*_SINGLE, "string", "list", "map"})
_SETS = frozenset({"list", "any", ""})
# Of arithmetic on two kinds of numbers. Floats and bigints are tagged words together.
_RESULTS = {
    frozenset({"int"}): "int", frozenset({"float"}): "float", frozenset({"bigint"}): "bigint",
    frozenset({"int", "float"}): "float", frozenset({"int", "bigint"}): "bigint",
    frozenset({"float", "bigint"}): "any",
}  # fmt: skip
_LIST_OPERATORS = frozenset({"union", "union all", "except", "intersect"})


def _name(inference: Inference, node: ast.Name) -> Cell:
    symbol = node.decl
    if isinstance(symbol, Variable):
        return inference.variable(symbol)
    if isinstance(symbol, Function):
        return symbol.type  # type: ignore[no-any-return]
    if isinstance(symbol, Struct):
        return variant(inference, node, symbol)
    if isinstance(symbol, (ModuleScope, ForeignModule)):
        module_as_value(inference, node, symbol)
    if isinstance(symbol, Builtin):
        function_as_value(inference, node, node.name)
    return inference.null()


def _list(inference: Inference, node: ast.ListLit) -> Cell:
    element = inference.expected.get(node) or Cell()
    for item in node.items:
        inference.give(item, element)
    return Cell("list", (element,))


def _map(inference: Inference, node: ast.MapLit) -> Cell:
    key, value = inference.expected_keys.get(node) or Cell(), inference.expected.get(node) or Cell()
    for key_node, value_node in node.items:
        store_key(inference, key_node, inference.expression(key_node), key)
        inference.give(value_node, value)
    return Cell("map", (key, value))


def _struct(inference: Inference, node: ast.StructLit) -> Cell:
    struct = struct_named(node.name, inference.function.module)
    given = set()
    for item in node.fields:
        given.add(item.name)
        cell = struct.cells.get(item.name) if struct is not None else None
        inference.give(item.value, cell or Cell())
        if struct is not None and cell is None:
            message = f"unknown field `{item.name}` on `{struct.name}`"
            help_ = did_you_mean(item.name, struct.cells)
            inference.error("T026", message, item, help_)
    if struct is None:
        _refuse_literal(inference, node)
        return Cell("any")
    missing = [name for name in struct.cells if name not in given]
    for name in missing:
        inference.solver.make_nullable(struct.cells[name], NULL)
    if given:
        _warn_of_missing(inference, node, [n for n in missing if not struct.fields[n].optional])
    return Cell("struct", of=struct)


def _warn_of_missing(inference: Inference, node: ast.StructLit, names: list[str]) -> None:
    """Warn of the fields that a literal leaves out; one without any is made to be filled later."""
    if names:
        message = f"`{node.name}` without {', '.join(f'`{name}`' for name in names)}"
        help_ = f"add `{names[0]}: …`; a field that is left out is null"
        name = ast.Name(node.start, node.start + len(node.name), node.name)
        module = inference.function.module
        inference.report(module, "T053", message, name, help_, Severity.WARNING)


def _refuse_literal(inference: Inference, node: ast.StructLit) -> None:
    """Report a literal of a type that is not a struct."""
    type_ = inference.function.module.types.get(node.name)
    if isinstance(type_, Alias):
        help_ = f"it is `{inference.annotations.cell(type_.type, type_.module)}`"
    elif isinstance(type_, Union):
        help_ = f"write a variant of it: `{type_.variants[0].name} {{ … }}`"
    else:  # unknown, as name resolution reports
        return
    inference.error("T027", f"the type `{node.name}` is not a struct", node, help_)


def _fun_expr(inference: Inference, node: ast.FunExpr) -> Cell:
    inference.walk(node.fun.info)
    return node.fun.info.type  # type: ignore[no-any-return]


def _cast(inference: Inference, node: ast.Cast) -> Cell:
    operand = inference.expression(node.operand)
    cell = inference.annotations.cell(node.type, inference.function.module)
    if cell.kind == "any":
        inference.solver.flow(operand, cell)
    elif cell.kind in _COMPOSITES:  # what it has may be seen as any in the copy
        inference.solver.escape_when_known(operand)

    def check(module: ModuleScope) -> None:
        if operand.find().kind in SCALARS and cell.find().kind in _COMPOSITES:
            message = f"invalid cast: `{operand}` to `{cell}`"
            inference.report(module, "T046", message, node)

    inference.check_later(check)
    return cell


def _unary(inference: Inference, node: ast.Unary) -> Cell:
    operand = inference.expression(node.operand)
    if node.op == "!":
        return Cell("bool")
    result = Cell()

    def action() -> None:
        kind = operand.find().kind
        if kind == "any" or kind in NUMBERS:
            inference.solver.learn(result, kind)

    def check(module: ModuleScope) -> None:
        if operand.find().kind not in {*NUMBERS, "any", ""}:
            message = f"operator `-` cannot be used on type `{operand}`"
            inference.report(module, "T020", message, node)

    inference.solver.watch(action, operand)
    inference.check_later(check)
    return result


def _binary(inference: Inference, node: ast.Binary) -> Cell:
    left = inference.expression(node.left)
    right = inference.expression(node.right)
    if node.op in _CONDITIONS:
        inference.check_later(lambda module: _check_condition(inference, module, node, left, right))
        return Cell("bool")
    result = Cell()
    if node.op in _LIST_OPERATORS:
        return _set_operation(inference, node, left, right)
    if node.op == "??":
        inference.solver.flow_present(left, result)
        inference.solver.flow(right, result)
        return result

    def action() -> None:
        _arithmetic(inference, node.op, left.find(), right.find(), result)

    def check(module: ModuleScope) -> None:
        if not _works(node.op, left.find(), right.find()):
            _refuse(inference, module, node, left, right)

    inference.solver.watch(action, left, right)
    inference.check_later(check)
    return result


def _check_condition(
    inference: Inference, module: ModuleScope, node: ast.Binary, left: Cell, right: Cell
) -> None:
    """Report `in` of something without elements, and comparisons whose result is known."""
    one, other = left.find().kind, right.find().kind
    if node.op == "in" and other in _SINGLE:
        _refuse(inference, module, node, left, right)
    is_known = one in _APART and other in _APART and one != other and not {one, other} <= NUMBERS
    if node.op in _EQUALITY and is_known:
        message = f"`{left}` and `{right}` are never equal"
        help_ = "convert one of them, for example with `str(x)` or `int(s)`"
        inference.report(module, "T013", message, node, help_, Severity.WARNING)


def _set_operation(inference: Inference, node: ast.Binary, left: Cell, right: Cell) -> Cell:
    """Lists, of which null is an empty one, and groups."""

    def check(module: ModuleScope) -> None:
        if not {left.find().kind, right.find().kind} <= _SETS:
            _refuse(inference, module, node, left, right)

    inference.check_later(check)
    return all_of(inference, (left, right))


def _refuse(
    inference: Inference, module: ModuleScope, node: ast.Binary, left: Cell, right: Cell
) -> None:
    message = f"operator `{node.op}` cannot be used on types `{left}` and `{right}`"
    inference.report(module, "T020", message, node)


def _arithmetic(inference: Inference, op: str, left: Cell, right: Cell, result: Cell) -> None:
    solver, kinds = inference.solver, (left.kind, right.kind)
    if op == "+" and "string" in kinds:
        solver.learn(result, "string")
    elif op == "+" and kinds == ("list", "list"):
        solver.flow(left, result)
        solver.flow(right, result)
    elif "any" in kinds:
        solver.learn(result, "any")
    elif kinds[0] in NUMBERS and kinds[1] in NUMBERS:
        solver.learn(result, _RESULTS[frozenset(kinds)])


def _if_expr(inference: Inference, node: ast.IfExpr) -> Cell:
    result = inference.expected.get(node) or Cell()
    for choice in choices(node):
        choice.cell = result
        inference.expression(choice.condition)
        inference.flow(inference.expression(choice.then), result, choice.then)
    otherwise = choice.otherwise
    cell = inference.expression(otherwise) if otherwise else inference.null()
    inference.flow(cell, result, otherwise or node)
    return result


def _works(op: str, left: Cell, right: Cell) -> bool:
    """Whether an arithmetic operator makes sense of two kinds."""
    kinds = (left.kind, right.kind)
    if "any" in kinds or "" in kinds:
        return True
    if op == "+" and ("string" in kinds or kinds == ("list", "list")):
        return True
    return kinds[0] in NUMBERS and kinds[1] in NUMBERS


EXPRESSIONS: ExpressionRules = {
    ast.IntLit: lambda *_: Cell("int"), ast.FloatLit: lambda *_: Cell("float"),
    ast.BoolLit: lambda *_: Cell("bool"), ast.StringLit: lambda *_: Cell("string"),
    ast.NoneLit: lambda inference, _: inference.null(), ast.Name: _name,
    ast.ListLit: _list, ast.MapLit: _map, ast.StructLit: _struct,
    ast.FunExpr: _fun_expr, ast.Cast: _cast, ast.Unary: _unary,
    ast.Binary: _binary, ast.IfExpr: _if_expr,
}  # fmt: skip
