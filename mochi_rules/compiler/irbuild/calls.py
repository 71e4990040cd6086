"""Builds calls and function values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    STRING,
    FunType,
    MapType,
    OptionalType,
    fun_of,
    optional_of,
)
from mochi_rules.compiler.irbuild.builtins import BuiltinBuilder
from mochi_rules.compiler.names.builtins import FOREIGN_MODULES, FOREIGN_VALUES
from mochi_rules.compiler.names.symbols import (
    Builtin,
    ForeignModule,
    Function,
    ModuleScope,
    Struct,
)
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.function import FunctionBuilder

# Foreign functions by module and name: the runtime function, and the type of all arguments.
_FOREIGN = {
    "math": {name: (f"float_{name}", FLOAT) for name in ("sin", "cos", "tan", "log", "exp", "pow")},
    "strings": {"ToUpper": ("string_upper", STRING), "ToLower": ("string_lower", STRING),
                "TrimSpace": ("string_trim", STRING)},
}  # fmt: skip
_VALUE_METHODS = {
    "contains",
    "starts_with",
    "ends_with",
    "len",
    "keys",
    "values",
    "get",
    "padStart",
}


class CallBuilder:
    """What calls become."""

    def __init__(self, builder: FunctionBuilder) -> None:
        self.b = builder
        self.builtins = BuiltinBuilder(builder)
        self.handlers: dict[type, Callable[[Any], Value]] = {ast.Call: self._call}

    def _call(self, node: ast.Call) -> Value:
        callee = node.callee
        if isinstance(callee, ast.Name):
            symbol = callee.decl
            if isinstance(symbol, Function):
                receiver = self.b.receiver if symbol.receiver is not None else None
                return self._direct(symbol, node.args, node, receiver)
            if isinstance(symbol, Builtin):
                return self.builtins.call(node, symbol.name)
            if isinstance(symbol, Struct):
                return self._constructor(symbol, node.args)
            if symbol is None:
                return self.b.null(ANY)
        elif isinstance(callee, ast.Field):
            return self._member_call(node, callee)
        return self.call_value(self.b.expression(callee), node.args, node)

    # Known functions

    def _direct(
        self,
        function: Function,
        args: list[ast.Expr],
        node: ast.Call,
        receiver: Value | None = None,
    ) -> Value:
        b = self.b
        params = [resolve(param.type) for param in function.params]
        values = [b.value(arg, type_) for arg, type_ in zip(args, params, strict=False)]
        if len(values) < len(params):
            return self.function_value(function, values)
        captured = [self._captured(variable, node) for variable in function.captures]
        b.at(node)
        first = [receiver] if receiver is not None else []
        name = b.program.name_of(function)
        return b.emit("call", [*first, *values, *captured], b.program.result_of(function), name)

    def _captured(self, variable: Any, node: ast.Node) -> Value:
        """Return what a nested function gets of a variable around it: its value or its cell."""
        if variable in self.b.env:
            return self.b.env[variable]
        return self.b.read(variable, node)

    def function_value(self, function: Function, bound: list[Value]) -> Value:
        """Return a function, perhaps with its first arguments, as a value."""
        b = self.b
        thunk = b.program.thunk(function, len(bound))
        captured = [
            self._captured(variable, function.decl or ast.Node(0, 0))
            for variable in function.captures
        ]
        full = b.program.value_type(function)
        type_ = fun_of(full.params[len(bound) :], full.result)
        return b.emit("closure.new", [*bound, *captured], type_, b.program.name_of(thunk))

    def _constructor(self, struct: Struct, args: list[ast.Expr]) -> Value:
        b = self.b
        values = {
            name: b.value(arg, resolve(cell))
            for arg, (name, cell) in zip(args, struct.cells.items(), strict=False)
        }
        return b.expressions.new_struct(struct, values)

    # Function values

    def call_value(self, callee: Value, args: list[ast.Expr], node: ast.Call) -> Value:
        """Call a function value."""
        b = self.b
        callee = self.callable(callee, len(args))
        type_ = callee.type
        assert isinstance(type_, FunType)
        if len(args) < len(type_.params):
            b.error("T090", "partial application of a function value is not supported yet", node,
                    help="name the function, or write `fun(x) => f(a, x)`")  # fmt: skip
            return b.null(ANY)
        values = [b.value(arg, param) for arg, param in zip(args, type_.params, strict=False)]
        b.at(node)
        return b.emit("closure.call", [callee, *values], type_.result)

    def callable(self, value: Value, count: int) -> Value:
        """Return a value as a function; what is known at run time alone takes `count` arguments."""
        b = self.b
        value = b.access.not_null(value)
        if isinstance(value.type, FunType):
            return value
        return b.emit("any.to", (b.convert(value, ANY),), fun_of((ANY,) * count, ANY))

    # Members

    def _member_call(self, node: ast.Call, callee: ast.Field) -> Value:
        b = self.b
        owner = callee.base.decl if isinstance(callee.base, ast.Name) else None
        if isinstance(owner, ForeignModule):
            return self._foreign(node, owner.path, callee.name)
        if isinstance(owner, ModuleScope):
            symbol = owner.names.get(callee.name)
            if isinstance(symbol, Function):
                return self._direct(symbol, node.args, node)
            if isinstance(symbol, Struct):
                return self._constructor(symbol, node.args)
            return self.call_value(b.expression(callee), node.args, node)
        receiver = b.expression(callee.base)
        b.at(node)
        return self._method(node, b.access.not_null(receiver), callee.name)

    def _method(self, node: ast.Call, receiver: Value, name: str) -> Value:
        b = self.b
        struct = b.struct_of(receiver.type)
        if struct is not None and name in struct.methods:
            return self._direct(struct.methods[name], node.args, node, receiver)
        is_field = struct is not None and name in struct.cells
        if name in _VALUE_METHODS and not is_field:
            return self._value_method(node, receiver, name)
        return self.call_value(b.access.field(receiver, name), node.args, node)

    def _value_method(self, node: ast.Call, receiver: Value, name: str) -> Value:
        b = self.b
        args = node.args
        match name:
            case "contains":
                return b.operators.contains(receiver, b.expression(args[0]))
            case "starts_with" | "ends_with":
                text = b.convert(receiver, STRING)
                return b.runtime(f"string_{name}", (text, b.value(args[0], STRING)), BOOL)
            case "len":
                return self.builtins.length(receiver)
            case "keys" | "values":
                return self.builtins.part(receiver, name)
            case "padStart":
                rest = (b.value(args[0], INT), b.value(args[1], STRING))
                return b.runtime("string_pad_start", (b.convert(receiver, STRING), *rest), STRING)
            case _:
                return self._get(node, receiver)

    def _get(self, node: ast.Call, receiver: Value) -> Value:
        """Build `m.get(key)` and `m.get(key, default)`."""
        b, type_ = self.b, receiver.type
        if not isinstance(type_, MapType):
            args = (b.convert(receiver, ANY), b.value(node.args[0], ANY), b.here())
            found = b.runtime("any_index", args, ANY)
        else:
            key = b.access.map_key(b.expression(node.args[0]), type_)
            found = b.access.lookup(receiver, key, type_)
        if len(node.args) == 1:
            return found
        inner = found.type.inner if isinstance(found.type, OptionalType) else ANY
        return b.choose(
            b.branch(b.emit("is_null", (found,), BOOL)),
            lambda: b.value(node.args[1], optional_of(inner)),
            lambda: found,
        )

    # Foreign modules

    def foreign_value(self, owner: ForeignModule, name: str) -> Value:
        """Return a constant of a foreign module."""
        type_ = FLOAT if FOREIGN_MODULES[owner.path][name] == "float" else INT
        return self.b.const(FOREIGN_VALUES[name], type_)

    def _foreign(self, node: ast.Call, path: str, name: str) -> Value:
        b = self.b
        if name == "sqrt":
            return b.emit("sqrt", (b.value(node.args[0], FLOAT),), FLOAT)
        if name in ("floor", "ceil"):
            return b.emit(name, (b.value(node.args[0], FLOAT),), FLOAT)
        if name == "Add":
            left, right = (b.value(arg, INT) for arg in node.args)
            return b.operators.arithmetic("+", left, right)
        function, type_ = _FOREIGN[path][name]
        return b.runtime(function, [b.value(arg, type_) for arg in node.args], type_)
