"""Builds literals, names and if-expressions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.annotations import struct_named
from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    WORD,
    ListType,
    MapType,
    OptionalType,
)
from mochi_rules.compiler.names.symbols import Function, Struct, Variable
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import choices

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.function import FunctionBuilder


class ExpressionBuilder:
    """What each of these expressions becomes."""

    def __init__(self, builder: FunctionBuilder) -> None:
        self.b = builder
        self.handlers: dict[type, Callable[[Any], Value]] = {
            ast.IntLit: lambda node: builder.const(node.value, INT),
            ast.FloatLit: lambda node: builder.const(node.value, FLOAT),
            ast.BoolLit: lambda node: builder.const(int(node.value), BOOL),
            ast.StringLit: lambda node: builder.string(node.value),
            ast.NoneLit: lambda _: builder.null(ANY),
            ast.Name: self._name, ast.ListLit: self._list, ast.MapLit: self._map,
            ast.StructLit: self._struct, ast.FunExpr: self._fun_expr, ast.IfExpr: self._if_expr,
        }  # fmt: skip

    def _name(self, node: ast.Name) -> Value:
        symbol = node.decl
        if isinstance(symbol, Variable):
            return self.b.read(symbol, node)
        if isinstance(symbol, Function):
            return self.b.calls.function_value(symbol, [])
        if isinstance(symbol, Struct):
            return self.new_struct(symbol, {})
        return self.b.null(ANY)

    def _list(self, node: ast.ListLit) -> Value:
        type_ = resolve(node.cell)
        if not isinstance(type_, ListType):  # unified with something else
            type_ = ListType(str(type_), ANY)
        items = [self.b.value(item, type_.element) for item in node.items]
        return self.b.emit("list.new", items, type_)

    def _map(self, node: ast.MapLit) -> Value:
        b, type_ = self.b, resolve(node.cell)
        assert isinstance(type_, MapType)
        m = b.emit("map.new", (), type_)
        for key_node, value_node in node.items:
            key = b.access.map_key(b.expression(key_node), type_)
            value = b.value(value_node, type_.value)
            b.emit("entry.store", (m, b.emit("map.insert", (m, key), WORD), value))
        return m

    def _struct(self, node: ast.StructLit) -> Value:
        struct = struct_named(node.name, self.b.symbol.module)
        if struct is None:
            return self.b.null(ANY)
        values = {}
        for item in node.fields:
            if item.name in struct.cells:
                type_ = resolve(struct.cells[item.name])
                values[item.name] = self.b.value(item.value, type_)
        return self.new_struct(struct, values)

    def new_struct(self, struct: Struct, values: dict[str, Value]) -> Value:
        """Make a struct; fields without a value are null."""
        b = self.b
        args = [
            values[name] if name in values else b.null(resolve(cell))
            for name, cell in struct.cells.items()
        ]
        name = b.program.struct_name(struct)
        return b.emit("struct.new", args, b.program.struct_type(struct), name)

    def _fun_expr(self, node: ast.FunExpr) -> Value:
        return self.b.calls.function_value(node.fun.info, [])

    def _if_expr(self, node: ast.IfExpr) -> Value:
        b, type_ = self.b, resolve(node.cell)
        cases = [
            (partial(b.ways, choice.condition), partial(b.value, choice.then, type_))
            for choice in choices(node)
        ]
        *_, last = choices(node)
        otherwise = last.otherwise
        return b.choose_first(
            cases, lambda: b.value(otherwise, type_) if otherwise else b.null(type_)
        )


__all__ = ["ExpressionBuilder", "OptionalType"]
