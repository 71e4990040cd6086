"""Builds literals, names and if-expressions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.annotations import struct_named
from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    ListType,
    MapType,
)
from mochi_rules.compiler.irbuild.access import insert_entry, map_key
from mochi_rules.compiler.irbuild.objects import function_value, new_struct
from mochi_rules.compiler.names.symbols import Function, Struct, Variable
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import choices

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import ExpressionRules, FunctionBuilder


def _name(b: FunctionBuilder, node: ast.Name) -> Value:
    symbol = node.decl
    if isinstance(symbol, Variable):
        return b.read(symbol, node)
    if isinstance(symbol, Function):
        return function_value(b, symbol, [])
    if isinstance(symbol, Struct):
        return new_struct(b, symbol, {})
    return b.null(ANY)


def _list(b: FunctionBuilder, node: ast.ListLit) -> Value:
    type_ = resolve(node.cell)
    if not isinstance(type_, ListType):  # unified with something else
        type_ = ListType(str(type_), ANY)
    items = [b.value(item, type_.element) for item in node.items]
    return b.emit("list.new", items, type_)


def _map(b: FunctionBuilder, node: ast.MapLit) -> Value:
    type_ = resolve(node.cell)
    assert isinstance(type_, MapType)
    m = b.emit("map.new", (), type_)
    for key_node, value_node in node.items:
        key = map_key(b, b.expression(key_node), type_)
        value = b.value(value_node, type_.value)
        b.emit("entry.store", (m, insert_entry(b, m, key), value))
    return m


def _struct(b: FunctionBuilder, node: ast.StructLit) -> Value:
    struct = struct_named(node.name, b.symbol.module)
    if struct is None:
        return b.null(ANY)
    values = {}
    for item in node.fields:
        if item.name in struct.cells:
            type_ = resolve(struct.cells[item.name])
            values[item.name] = b.value(item.value, type_)
    return new_struct(b, struct, values)


def _fun_expr(b: FunctionBuilder, node: ast.FunExpr) -> Value:
    return function_value(b, node.fun.info, [])


def _if_expr(b: FunctionBuilder, node: ast.IfExpr) -> Value:
    type_ = resolve(node.cell)
    cases = [
        (partial(b.ways, choice.condition), partial(b.value, choice.then, type_))
        for choice in choices(node)
    ]
    *_, last = choices(node)
    otherwise = last.otherwise
    return b.choose_first(cases, lambda: b.value(otherwise, type_) if otherwise else b.null(type_))


EXPRESSIONS: ExpressionRules = {
    ast.IntLit: lambda b, node: b.const(node.value, INT),
    ast.FloatLit: lambda b, node: b.const(node.value, FLOAT),
    ast.BoolLit: lambda b, node: b.const(int(node.value), BOOL),
    ast.StringLit: lambda b, node: b.string(node.value),
    ast.NoneLit: lambda b, _: b.null(ANY),
    ast.Name: _name, ast.ListLit: _list, ast.MapLit: _map,
    ast.StructLit: _struct, ast.FunExpr: _fun_expr, ast.IfExpr: _if_expr,
}  # fmt: skip
