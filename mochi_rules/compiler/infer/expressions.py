"""Inference: literals, names, operators, casts, conditions, patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.suggest import did_you_mean
from mochi_rules.compiler.infer.access import store_key
from mochi_rules.compiler.infer.annotations import struct_named
from mochi_rules.compiler.infer.calls import all_of
from mochi_rules.compiler.infer.cells import NULL, SCALARS, Cell
from mochi_rules.compiler.names.symbols import (
    Alias,
    Builtin,
    ForeignModule,
    Function,
    Struct,
    Union,
    Variable,
)
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import choices

if TYPE_CHECKING:
    from mochi_rules.compiler.infer.context import ExpressionRules, Inference
    from mochi_rules.compiler.names.symbols import ModuleScope

NUMBERS = ("int", "float")
_COMPOSITES = frozenset({"list", "map", "struct", "union", "fun"})
_CONDITIONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"})
_SETS = frozenset({"list", "any", ""})
_LIST_OPERATORS = frozenset({"union", "union all", "except", "intersect"})


def _name(inference: Inference, node: ast.Name) -> Cell:
    symbol = node.decl
    if isinstance(symbol, Variable):
        return inference.variable(symbol)
    if isinstance(symbol, Function):
        return symbol.type  # type: ignore[no-any-return]
    if isinstance(symbol, Struct):  # a variant without fields
        return Cell("struct", of=symbol)
    if isinstance(symbol, (Builtin, ForeignModule)):
        help_ = f"wrap it: `fun(x) => {node.name}(x)`"
        message = f"`{node.name}` as a value is not supported"
        inference.error("T090", message, node, help_)
    return inference.null()


def _list(inference: Inference, node: ast.ListLit) -> Cell:
    element = Cell()
    for item in node.items:
        inference.flow(inference.expression(item), element, item)
    return Cell("list", (element,))


def _map(inference: Inference, node: ast.MapLit) -> Cell:
    key, value = Cell(), Cell()
    for key_node, value_node in node.items:
        store_key(inference, key_node, inference.expression(key_node), key)
        inference.flow(inference.expression(value_node), value, value_node)
    return Cell("map", (key, value))


def _struct(inference: Inference, node: ast.StructLit) -> Cell:
    struct = struct_named(node.name, inference.function.module)
    given = set()
    for item in node.fields:
        value = inference.expression(item.value)
        given.add(item.name)
        if struct is None:
            continue
        if item.name in struct.cells:
            inference.flow(value, struct.cells[item.name], item.value)
        else:
            message = f"unknown field `{item.name}` on `{struct.name}`"
            help_ = did_you_mean(item.name, struct.cells)
            inference.error("T026", message, item, help_)
    if struct is None:
        _refuse_literal(inference, node)
        return Cell("any")
    for name, cell in struct.cells.items():
        if name not in given:
            inference.solver.make_nullable(cell, NULL)
    return Cell("struct", of=struct)


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
        if kind in ("int", "float", "any"):
            inference.solver.learn(result, kind)

    def check(module: ModuleScope) -> None:
        if operand.find().kind not in ("int", "float", "any", ""):
            message = f"operator `-` cannot be used on type `{operand}`"
            inference.report(module, "T020", message, node)

    inference.solver.watch(action, operand)
    inference.check_later(check)
    return result


def _binary(inference: Inference, node: ast.Binary) -> Cell:
    left = inference.expression(node.left)
    right = inference.expression(node.right)
    if node.op in _CONDITIONS:
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
        solver.learn(result, "float" if "float" in kinds else "int")


def _if_expr(inference: Inference, node: ast.IfExpr) -> Cell:
    result = Cell()
    for choice in choices(node):
        choice.cell = result
        inference.expression(choice.condition)
        inference.flow(inference.expression(choice.then), result, choice.then)
    otherwise = choice.otherwise
    cell = inference.expression(otherwise) if otherwise else inference.null()
    inference.flow(cell, result, otherwise or node)
    return result


def _match(inference: Inference, node: ast.Match) -> Cell:
    subject, result = inference.expression(node.subject), Cell()
    has_default = False
    for arm in node.arms:
        _pattern(inference, arm.pattern)
        has_default |= isinstance(arm.pattern, ast.Name) and arm.pattern.name == "_"
        if arm.value is not None:
            inference.flow(inference.expression(arm.value), result, arm.value)
        if arm.block is not None:
            inference.block(arm.block)
            inference.flow(inference.null(), result, arm)
    if not has_default:
        _find_gaps(inference, node, subject, result)
    return result


def _find_gaps(inference: Inference, node: ast.Match, subject: Cell, result: Cell) -> None:
    """A match that covers all variants, or both bools, never gives null by itself."""
    patterns = [arm.pattern for arm in node.arms]
    bools = {pattern.value for pattern in patterns if isinstance(pattern, ast.BoolLit)}
    variants = {_variant_of(pattern) for pattern in patterns}

    def action() -> None:
        cell = subject.find()
        union: Any = cell.of if cell.kind == "union" else getattr(cell.of, "union", None)
        is_covered = union is not None and variants >= set(union.variants)
        if cell.kind and not is_covered and bools != {True, False}:
            inference.solver.make_nullable(result, NULL)

    inference.solver.watch(action, subject)


def _pattern(inference: Inference, node: ast.Expr) -> None:
    if isinstance(node, ast.Name) and node.name == "_":
        return
    if not isinstance(node, ast.Call) or not isinstance(node.callee, ast.Name):
        inference.expression(node)
        return
    struct = node.callee.decl
    if not isinstance(struct, Struct):
        return
    for arg, cell in zip(node.args, struct.cells.values(), strict=False):
        if isinstance(arg, ast.Name) and isinstance(arg.decl, Variable):
            inference.solver.flow(cell, inference.variable(arg.decl))
            arg.cell = arg.decl.type
        else:
            _pattern(inference, arg)


def _variant_of(pattern: ast.Expr) -> Any:
    callee = pattern.callee if isinstance(pattern, ast.Call) else pattern
    return callee.decl if isinstance(callee, ast.Name) else None


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
    ast.Binary: _binary, ast.IfExpr: _if_expr, ast.Match: _match,
}  # fmt: skip
