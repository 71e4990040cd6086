"""Builds structs and function values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import ANY, FunType, fun_of
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder
    from mochi_rules.compiler.names.symbols import Function, Struct


def new_struct(b: FunctionBuilder, struct: Struct, values: dict[str, Value]) -> Value:
    """Make a struct; fields without a value are null."""
    args = [
        values[name] if name in values else b.null(resolve(cell))
        for name, cell in struct.cells.items()
    ]
    name = b.program.struct_name(struct)
    return b.emit("struct.new", args, b.program.struct_type(struct), name)


def function_value(b: FunctionBuilder, function: Function, bound: list[Value]) -> Value:
    """Return a function, perhaps with its first arguments, as a value."""
    thunk = b.program.thunk(function, len(bound))
    captured = [
        load_capture(b, variable, function.decl or ast.Node(0, 0)) for variable in function.captures
    ]
    full = b.program.value_type(function)
    type_ = fun_of(full.params[len(bound) :], full.result)
    return b.emit("closure.new", [*bound, *captured], type_, b.program.name_of(thunk))


def load_capture(b: FunctionBuilder, variable: Any, node: ast.Node) -> Value:
    """Return the capture of a variable: its value or its cell."""
    if variable in b.env:
        return b.env[variable]
    return b.read(variable, node)


def as_function(b: FunctionBuilder, value: Value, count: int) -> Value:
    """Return a value as a function; what is known at run time alone takes `count` arguments."""
    value = b.not_null(value)
    if isinstance(value.type, FunType):
        return value
    return b.emit("any.to", (b.convert(value, ANY),), fun_of((ANY,) * count, ANY))
