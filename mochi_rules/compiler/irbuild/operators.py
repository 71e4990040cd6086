"""Builds operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NULL,
    SCALARS,
    STRING,
    VOID,
    WORD,
    ListType,
    MapType,
    OptionalType,
    list_of,
)
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.function import FunctionBuilder

_INT_OPS = {"+": "add.checked", "-": "sub.checked", "*": "mul.checked", "/": "div", "%": "rem"}
_FLOAT_OPS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "rem"}
_ANY_OPS = {"+": "any_add", "-": "any_sub", "*": "any_mul", "/": "any_div", "%": "any_rem"}
_ORDER = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_LIST_OPS = {
    "union": "list_union", "union all": "list_union_all", "except": "list_except",
    "intersect": "list_intersect",
}  # fmt: skip
_NUMBERS = (INT, FLOAT)


class OperatorBuilder:
    """What each operator becomes."""

    def __init__(self, builder: FunctionBuilder) -> None:
        self.b = builder
        self.handlers: dict[type, Callable[[Any], Value]] = {
            ast.Binary: self._binary, ast.Unary: self._unary,
        }  # fmt: skip

    def _unary(self, node: ast.Unary) -> Value:
        b = self.b
        if node.op == "!":
            return b.as_value(b.ways(node))
        operand = self._operand(node.operand)
        if operand.op == "const":
            return b.const(-operand.attr, operand.type)
        if operand.type in _NUMBERS:
            return b.emit("neg", (operand,), operand.type)
        return b.runtime("any_neg", (b.convert(operand, ANY), b.here()), ANY)

    def _binary(self, node: ast.Binary) -> Value:
        b = self.b
        if node.op in ("&&", "||"):
            return b.as_value(b.ways(node))
        if node.op == "??":
            return self._coalesce(node)
        if node.op in ("==", "!="):
            equal = self._equal(node)
            return equal if node.op == "==" else b.emit("not", (equal,), BOOL)
        if node.op == "in":
            item = b.expression(node.left)
            return self.contains(b.expression(node.right), item)
        if node.op in _LIST_OPS:
            return self._list_operator(node)
        left, right = self._operand(node.left), self._operand(node.right)
        b.at(node)
        if node.op in _ORDER:
            return self._order(node.op, left, right)
        return self.arithmetic(node.op, left, right)

    def _operand(self, node: ast.Expr) -> Value:
        """Return an operand; a number from a map must be there."""
        type_ = resolve(node.cell)
        if isinstance(type_, OptionalType) and type_.inner in SCALARS:
            return self.b.value(node, type_.inner)
        return self.b.expression(node)

    # Arithmetic

    def arithmetic(self, op: str, left: Value, right: Value) -> Value:
        """Return the result of `+ - * / %`."""
        b = self.b
        left, right = self._present(left), self._present(right)
        types = (left.type, right.type)
        if op == "+" and STRING in types:
            return b.runtime("string_concat", (self.as_text(left), self.as_text(right)), STRING)
        if op == "+" and isinstance(types[0], ListType) and isinstance(types[1], ListType):
            return b.runtime("list_concat", (left, right), types[0])
        if types == (INT, INT):
            return self._int(op, left, right)
        if types[0] in _NUMBERS and types[1] in _NUMBERS:
            return self._float(op, b.convert(left, FLOAT), b.convert(right, FLOAT))
        args = (b.convert(left, ANY), b.convert(right, ANY), b.here())
        return b.runtime(_ANY_OPS[op], args, ANY)

    def _present(self, value: Value) -> Value:
        """Return a value that is not null where its type is otherwise known."""
        return self.b.access.not_null(value)

    def _int(self, op: str, left: Value, right: Value) -> Value:
        if op in "/%":
            self.b.emit("check.nonzero", (right,))
        return self.b.emit(_INT_OPS[op], (left, right), INT)

    def _float(self, op: str, left: Value, right: Value) -> Value:
        if op in "/%":
            self.b.emit("check.nonzero", (right,))
        return self.b.emit(_FLOAT_OPS[op], (left, right), FLOAT)

    def as_text(self, value: Value) -> Value:
        """Return a value as `str` shows it."""
        b = self.b
        if value.type is STRING:
            return value
        if value.type is INT:
            return b.runtime("string_of_int", (value,), STRING)
        if value.type is FLOAT:
            return b.runtime("string_of_float", (value,), STRING)
        return b.runtime("string_of_any", (b.convert(value, ANY),), STRING)

    # Comparison

    def _order(self, op: str, left: Value, right: Value) -> Value:
        b, types = self.b, (left.type, right.type)
        if types in ((INT, INT), (FLOAT, FLOAT)):
            return b.emit(_ORDER[op], (left, right), BOOL)
        if types[0] in _NUMBERS and types[1] in _NUMBERS:
            return b.emit(_ORDER[op], (b.convert(left, FLOAT), b.convert(right, FLOAT)), BOOL)
        if types == (STRING, STRING):
            compared = b.runtime("string_compare", (left, right), INT)
            return b.emit(_ORDER[op], (compared, b.const(0, INT)), BOOL)
        left, right = b.convert(left, ANY), b.convert(right, ANY)
        if op in (">", ">="):
            left, right = right, left
        name = "any_less" if op in ("<", ">") else "any_less_equal"
        return b.runtime(name, (left, right), BOOL)

    def _equal(self, node: ast.Binary) -> Value:
        return self.equal(self.b.expression(node.left), self.b.expression(node.right))

    def equal(self, left: Value, right: Value) -> Value:
        """Return whether two values are equal."""
        b, types = self.b, (left.type, right.type)
        if types[0] is types[1] and types[0] in SCALARS:
            return b.emit("eq", (left, right), BOOL)
        if types[0] in _NUMBERS and types[1] in _NUMBERS:
            return b.emit("eq", (b.convert(left, FLOAT), b.convert(right, FLOAT)), BOOL)
        if types == (STRING, STRING):
            return b.emit("string.eq", (left, right), BOOL)
        for one, other in ((left, right), (right, left)):
            if one.op == "null" or one.type in (NULL, VOID):
                return self._is_null(other)
        return b.runtime("any_equal", (b.convert(left, ANY), b.convert(right, ANY)), BOOL)

    def _is_null(self, value: Value) -> Value:
        if value.type is ANY or isinstance(value.type, OptionalType):
            return self.b.emit("is_null", (value,), BOOL)
        return self.b.const(int(value.type in (NULL, VOID)), BOOL)

    def contains(self, container: Value, item: Value) -> Value:
        """Return whether a list has an element, a map a key or a string a part."""
        b = self.b
        container = b.access.not_null(container)
        type_ = container.type
        if isinstance(type_, MapType):
            return self._has_key(container, item, type_)
        if type_ is STRING and item.type is STRING:
            return b.runtime("string_contains", (container, item), BOOL)
        if type_ is list_of(INT) and item.type is INT:
            return b.runtime("list_contains_int", (container, item), BOOL)
        if isinstance(type_, ListType):
            return b.runtime("list_contains", (container, b.convert(item, ANY)), BOOL)
        args = (b.convert(item, ANY), b.convert(container, ANY), b.here())
        return b.runtime("any_in", args, BOOL)

    def _has_key(self, m: Value, key: Value, type_: MapType) -> Value:
        b = self.b
        if type_.key is INT and key.type is not INT:
            entry = b.runtime("map_find_any", (m, b.convert(key, ANY)), WORD)
        else:
            entry = b.emit("map.find", (m, b.access.map_key(key, type_)), WORD)
        return b.emit("ne", (entry, b.const(0, WORD)), BOOL)

    # Others

    def _coalesce(self, node: ast.Binary) -> Value:
        b, type_ = self.b, resolve(node.cell)
        left = b.expression(node.left)
        if not (left.type is ANY or isinstance(left.type, OptionalType)):
            return left
        inner = left.type.inner if isinstance(left.type, OptionalType) else ANY
        return b.choose(
            b.branch(b.emit("is_null", (left,), BOOL)),
            lambda: b.value(node.right, type_),
            lambda: b.convert(b.emit("any.cast", (left,), inner), type_),
        )

    def _list_operator(self, node: ast.Binary) -> Value:
        b, type_ = self.b, resolve(node.cell)
        left, right = b.expression(node.left), b.expression(node.right)
        b.at(node)
        lists = [b.calls.builtins.list_of(value, node.op) for value in (left, right)]
        return b.runtime(_LIST_OPS[node.op], lists, type_)
