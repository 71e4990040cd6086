"""Builds calls and function values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.infer.methods import VALUE_METHODS
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    STRING,
    FunType,
    MapType,
    OptionalType,
    optional_of,
)
from mochi_rules.compiler.irbuild.access import length_of, load_field, lookup, map_key
from mochi_rules.compiler.irbuild.builtins import call_builtin, part_of
from mochi_rules.compiler.irbuild.objects import (
    as_function,
    function_value,
    load_capture,
    new_struct,
)
from mochi_rules.compiler.irbuild.operators import arithmetic, contains
from mochi_rules.compiler.names.symbols import (
    Builtin,
    ForeignModule,
    Function,
    ModuleScope,
    Struct,
)
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import ExpressionRules, FunctionBuilder

# Foreign functions by module and name: the runtime function, and the type of all arguments.
_FOREIGN = {
    "math": {name: (f"float_{name}", FLOAT) for name in ("sin", "cos", "tan", "log", "exp", "pow")},
    "strings": {"ToUpper": ("string_upper", STRING), "ToLower": ("string_lower", STRING),
                "TrimSpace": ("string_trim", STRING)},
}  # fmt: skip


def _call(b: FunctionBuilder, node: ast.Call) -> Value:
    callee = node.callee
    if isinstance(callee, ast.Name):
        symbol = callee.decl
        if isinstance(symbol, Function):
            receiver = b.receiver if symbol.receiver is not None else None
            return _direct(b, symbol, node.args, node, receiver)
        if isinstance(symbol, Builtin):
            return call_builtin(b, node, symbol.name)
        if isinstance(symbol, Struct):
            return _constructor(b, symbol, node.args)
        if symbol is None:
            return b.null(ANY)
    elif isinstance(callee, ast.Field):
        return _member_call(b, node, callee)
    return _call_value(b, b.expression(callee), node.args, node)


# Known functions


def _direct(
    b: FunctionBuilder,
    function: Function,
    args: list[ast.Expr],
    node: ast.Call,
    receiver: Value | None = None,
) -> Value:
    params = [resolve(param.type) for param in function.params]
    values = [b.value(arg, type_) for arg, type_ in zip(args, params, strict=False)]
    if len(values) < len(params):
        return function_value(b, function, values)
    captured = [load_capture(b, variable, node) for variable in function.captures]
    b.at(node)
    first = [receiver] if receiver is not None else []
    name = b.program.name_of(function)
    return b.emit("call", [*first, *values, *captured], b.program.result_of(function), name)


def _constructor(b: FunctionBuilder, struct: Struct, args: list[ast.Expr]) -> Value:
    values = {
        name: b.value(arg, resolve(cell))
        for arg, (name, cell) in zip(args, struct.cells.items(), strict=False)
    }
    return new_struct(b, struct, values)


# Function values


def _call_value(b: FunctionBuilder, callee: Value, args: list[ast.Expr], node: ast.Call) -> Value:
    """Call a function value."""
    callee = as_function(b, callee, len(args))
    type_ = callee.type
    assert isinstance(type_, FunType)
    if len(args) < len(type_.params):
        b.error("T090", "partial application of a function value is not supported yet", node,
                help="name the function, or write `fun(x) => f(a, x)`")  # fmt: skip
        return b.null(ANY)
    values = [b.value(arg, param) for arg, param in zip(args, type_.params, strict=False)]
    b.at(node)
    return b.emit("closure.call", [callee, *values], type_.result)


# Members


def _member_call(b: FunctionBuilder, node: ast.Call, callee: ast.Field) -> Value:
    owner = callee.base.decl if isinstance(callee.base, ast.Name) else None
    if isinstance(owner, ForeignModule):
        return _foreign(b, node, owner.path, callee.name)
    if isinstance(owner, ModuleScope):
        symbol = owner.names.get(callee.name)
        if isinstance(symbol, Function):
            return _direct(b, symbol, node.args, node)
        if isinstance(symbol, Struct):
            return _constructor(b, symbol, node.args)
        return _call_value(b, b.expression(callee), node.args, node)
    receiver = b.expression(callee.base)
    b.at(node)
    return _method(b, node, b.not_null(receiver), callee.name)


def _method(b: FunctionBuilder, node: ast.Call, receiver: Value, name: str) -> Value:
    struct = b.struct_of(receiver.type)
    if struct is not None and name in struct.methods:
        return _direct(b, struct.methods[name], node.args, node, receiver)
    is_field = struct is not None and name in struct.cells
    if name in VALUE_METHODS and not is_field:
        return _value_method(b, node, receiver, name)
    return _call_value(b, load_field(b, receiver, name), node.args, node)


def _value_method(b: FunctionBuilder, node: ast.Call, receiver: Value, name: str) -> Value:
    args = node.args
    match name:
        case "contains":
            return contains(b, receiver, b.expression(args[0]))
        case "starts_with" | "ends_with":
            text = b.convert(receiver, STRING)
            return b.runtime(f"string_{name}", (text, b.value(args[0], STRING)), BOOL)
        case "len":
            return length_of(b, receiver)
        case "keys" | "values":
            return part_of(b, receiver, name)
        case "padStart":
            rest = (b.value(args[0], INT), b.value(args[1], STRING))
            return b.runtime("string_pad_start", (b.convert(receiver, STRING), *rest), STRING)
        case _:
            return _get(b, node, receiver)


def _get(b: FunctionBuilder, node: ast.Call, receiver: Value) -> Value:
    """Build `m.get(key)` and `m.get(key, default)`."""
    type_ = receiver.type
    if not isinstance(type_, MapType):
        args = (b.convert(receiver, ANY), b.value(node.args[0], ANY), b.here())
        found = b.runtime("any_index", args, ANY)
    else:
        key = map_key(b, b.expression(node.args[0]), type_)
        found = lookup(b, receiver, key, type_)
    if len(node.args) == 1:
        return found
    inner = found.type.inner if isinstance(found.type, OptionalType) else ANY
    return b.choose(
        b.branch(b.emit("is_null", (found,), BOOL)),
        lambda: b.value(node.args[1], optional_of(inner)),
        lambda: found,
    )


# Foreign modules


def _foreign(b: FunctionBuilder, node: ast.Call, path: str, name: str) -> Value:
    if name == "sqrt":
        return b.emit("sqrt", (b.value(node.args[0], FLOAT),), FLOAT)
    if name in ("floor", "ceil"):
        return b.emit(name, (b.value(node.args[0], FLOAT),), FLOAT)
    if name == "Add":
        left, right = (b.value(arg, INT) for arg in node.args)
        return arithmetic(b, "+", left, right)
    function, type_ = _FOREIGN[path][name]
    return b.runtime(function, [b.value(arg, type_) for arg in node.args], type_)


EXPRESSIONS: ExpressionRules = {ast.Call: _call}
