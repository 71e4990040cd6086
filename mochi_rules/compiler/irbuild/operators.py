"""Builds operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from mochi_rules.compiler.irbuild.access import find_entry, map_key
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.ir.types import Type
    from mochi_rules.compiler.irbuild.context import ExpressionRules, FunctionBuilder

_INT_OPS = {"+": "add.checked", "-": "sub.checked", "*": "mul.checked", "/": "div.checked",
            "%": "rem"}  # fmt: skip
_FLOAT_OPS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "rem"}
_ANY_OPS = {"+": "any_add", "-": "any_sub", "*": "any_mul", "/": "any_div", "%": "any_rem"}
_ORDER = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
# The comparison with its operands exchanged.
_TURNED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "eq": "eq"}
_LIST_OPS = {
    "union": "list_union", "union all": "list_union_all", "except": "list_except",
    "intersect": "list_intersect",
}  # fmt: skip
_NUMBERS = (INT, FLOAT)
_FEW = 4  # elements that are appended one by one


def _unary(b: FunctionBuilder, node: ast.Unary) -> Value:
    if node.op == "!":
        return b.as_value(b.ways(node))
    operand = _operand(b, node.operand)
    if operand.op == "const":
        return b.const(-operand.attr, operand.type)
    if operand.type in _NUMBERS:
        return b.emit("neg", (operand,), operand.type)
    return b.runtime("any_neg", (b.convert(operand, ANY), b.here()), ANY)


def _binary(b: FunctionBuilder, node: ast.Binary) -> Value:
    if node.op in ("&&", "||"):
        return b.as_value(b.ways(node))
    if node.op == "??":
        return _coalesce(b, node)
    if node.op in ("==", "!="):
        is_equal = _equal(b, node)
        return is_equal if node.op == "==" else b.emit("not", (is_equal,), BOOL)
    if node.op == "in":
        item = b.expression(node.left)
        return contains(b, b.expression(node.right), item)
    if node.op in _LIST_OPS:
        return _list_operator(b, node)
    left, right = _operand(b, node.left), _operand(b, node.right)
    b.at(node)
    if node.op in _ORDER:
        return _order(b, node.op, left, right)
    return arithmetic(b, node.op, left, right)


def _operand(b: FunctionBuilder, node: ast.Expr) -> Value:
    """Return an operand; a number from a map must be there."""
    type_ = resolve(node.cell)
    if isinstance(type_, OptionalType) and type_.inner in SCALARS:
        return b.value(node, type_.inner)
    return b.expression(node)


# Arithmetic


def arithmetic(b: FunctionBuilder, op: str, left: Value, right: Value) -> Value:
    """Return the result of `+ - * / %`."""
    left, right = b.not_null(left), b.not_null(right)
    types = (left.type, right.type)
    if op == "+" and STRING in types:
        return b.emit("string.concat", (as_text(b, left), as_text(b, right)), STRING)
    if op == "+" and isinstance(types[0], ListType) and isinstance(types[1], ListType):
        return concat_lists(b, left, right, few_items(b, right))
    if types == (INT, INT):
        return _int(b, op, left, right)
    if types[0] in _NUMBERS and types[1] in _NUMBERS:
        return _float(b, op, b.convert(left, FLOAT), b.convert(right, FLOAT))
    args = (b.convert(left, ANY), b.convert(right, ANY), b.here())
    return b.runtime(_ANY_OPS[op], args, ANY)


def few_items(b: FunctionBuilder, value: Value) -> tuple[Value, ...]:
    """Return the elements of a list that was made just now, where they are few."""
    is_new = value.op == "list.new" and b.block is not None and value in b.block.code[-1:]
    return value.args if is_new and len(value.args) <= _FEW else ()


def concat_lists(b: FunctionBuilder, left: Value, right: Value, items: tuple[Value, ...]) -> Value:
    """Return the elements of two lists; `items` are those of the right one where they are few."""
    if not items or right.type is not left.type:
        return b.runtime("list_concat", (left, right), left.type)
    for item in items:
        left = b.emit("list.append", (left, item), left.type)
    return left


def _int(b: FunctionBuilder, op: str, left: Value, right: Value) -> Value:
    if op in "/%":
        right = b.emit("check.nonzero", (right,), INT)
    return b.emit(_INT_OPS[op], (left, right), INT)


def _float(b: FunctionBuilder, op: str, left: Value, right: Value) -> Value:
    if op in "/%":
        right = b.emit("check.nonzero", (right,), FLOAT)
    return b.emit(_FLOAT_OPS[op], (left, right), FLOAT)


def as_text(b: FunctionBuilder, value: Value) -> Value:
    """Return a value as `str` shows it."""
    if value.type is STRING:
        return value
    if value.type is INT:
        return b.runtime("string_of_int", (value,), STRING)
    if value.type is FLOAT:
        return b.runtime("string_of_float", (value,), STRING)
    return b.runtime("string_of_any", (b.convert(value, ANY),), STRING)


# Comparison


def _order(b: FunctionBuilder, op: str, left: Value, right: Value) -> Value:
    types = (left.type, right.type)
    if types in ((INT, INT), (FLOAT, FLOAT)):
        return b.emit(_ORDER[op], (left, right), BOOL)
    if types[0] in _NUMBERS and types[1] in _NUMBERS:
        return b.emit(_ORDER[op], (b.convert(left, FLOAT), b.convert(right, FLOAT)), BOOL)
    if types == (STRING, STRING):
        return _order_strings(b, _ORDER[op], left, right)
    left, right = b.convert(left, ANY), b.convert(right, ANY)
    if op in (">", ">="):
        left, right = right, left
    name = "any_less" if op in ("<", ">") else "any_less_equal"
    return b.runtime(name, (left, right), BOOL)


def _order_strings(b: FunctionBuilder, op: str, left: Value, right: Value) -> Value:
    if _is_character(left) and not _is_character(right):
        op, left, right = _TURNED[op], right, left
    if _is_character(right):
        order = b.emit("string.order", (left,), WORD)
        return b.emit(op, (order, b.const(2 * right.attr[0], WORD)), BOOL)
    compared = b.emit("string.compare", (left, right), INT)
    return b.emit(op, (compared, b.const(0, INT)), BOOL)


def _is_character(value: Value) -> bool:
    """Whether a value is known to be one ASCII character."""
    return value.op == "string" and len(value.attr) == 1 and value.attr.isascii()


def _equal_strings(b: FunctionBuilder, left: Value, right: Value) -> Value:
    for one, other in ((left, right), (right, left)):
        if other.op == "string" and not other.attr:
            return b.emit("eq", (b.emit("string.len", (one,), INT), b.const(0, INT)), BOOL)
    if _is_character(left) or _is_character(right):
        return _order_strings(b, "eq", left, right)
    return b.emit("string.eq", (left, right), BOOL)


def _equal(b: FunctionBuilder, node: ast.Binary) -> Value:
    return equal(b, b.expression(node.left), b.expression(node.right))


def equal(b: FunctionBuilder, left: Value, right: Value) -> Value:
    """Return whether two values are equal."""
    types = (left.type, right.type)
    if types[0] is types[1] and types[0] in SCALARS:
        return b.emit("eq", (left, right), BOOL)
    if types[0] in _NUMBERS and types[1] in _NUMBERS:
        return b.emit("eq", (b.convert(left, FLOAT), b.convert(right, FLOAT)), BOOL)
    if types == (STRING, STRING):
        return _equal_strings(b, left, right)
    inner = _inner(types[0])
    if inner in SCALARS and inner is _inner(types[1]):
        return _equal_if_there(b, left, right)
    for one, other in ((left, right), (right, left)):
        if one.op == "null" or one.type in (NULL, VOID):
            return _is_null(b, other)
    return b.runtime("any_equal", (b.convert(left, ANY), b.convert(right, ANY)), BOOL)


def _inner(type_: Type) -> Type:
    return type_.inner if isinstance(type_, OptionalType) else type_


def _equal_if_there(b: FunctionBuilder, left: Value, right: Value) -> Value:
    """Compare two numbers of one type that may be null."""
    if not isinstance(left.type, OptionalType):
        left, right = right, left
    inner, is_null = _inner(left.type), b.emit("is_null", (left,), BOOL)
    if not isinstance(right.type, OptionalType):
        otherwise = b.const(0, BOOL)
    else:
        otherwise = b.emit("is_null", (right,), BOOL)
    return b.choose(
        b.branch(is_null),
        lambda: otherwise,
        lambda: equal(b, right, b.emit("any.cast", (left,), inner)),
    )


def _is_null(b: FunctionBuilder, value: Value) -> Value:
    if value.type is ANY or isinstance(value.type, OptionalType):
        return b.emit("is_null", (value,), BOOL)
    return b.const(int(value.type in (NULL, VOID)), BOOL)


def contains(b: FunctionBuilder, container: Value, item: Value) -> Value:
    """Return whether a list has an element, a map a key or a string a part."""
    container = b.not_null(container)
    type_ = container.type
    if isinstance(type_, MapType):
        return _has_key(b, container, item, type_)
    if type_ is STRING and item.type is STRING:
        return b.runtime("string_contains", (container, item), BOOL)
    if type_ is list_of(INT) and item.type is INT:
        return b.runtime("list_contains_int", (container, item), BOOL)
    if isinstance(type_, ListType):
        return b.runtime("list_contains", (container, b.convert(item, ANY)), BOOL)
    args = (b.convert(item, ANY), b.convert(container, ANY), b.here())
    return b.runtime("any_in", args, BOOL)


def _has_key(b: FunctionBuilder, m: Value, key: Value, type_: MapType) -> Value:
    if type_.key is INT and key.type is not INT:
        key = b.convert(key, ANY)  # null is none
    entry = find_entry(b, m, map_key(b, key, type_))
    return b.emit("ne", (entry, b.const(0, WORD)), BOOL)


# Others


def _coalesce(b: FunctionBuilder, node: ast.Binary) -> Value:
    type_ = resolve(node.cell)
    left = b.expression(node.left)
    if not (left.type is ANY or isinstance(left.type, OptionalType)):
        return left
    inner = left.type.inner if isinstance(left.type, OptionalType) else ANY
    return b.choose(
        b.branch(b.emit("is_null", (left,), BOOL)),
        lambda: b.value(node.right, type_),
        lambda: b.convert(b.emit("any.cast", (left,), inner), type_),
    )


def _list_operator(b: FunctionBuilder, node: ast.Binary) -> Value:
    type_ = resolve(node.cell)
    left, right = b.expression(node.left), b.expression(node.right)
    b.at(node)
    lists = [as_list(b, value, node.op, type_) for value in (left, right)]
    return b.runtime(_LIST_OPS[node.op], lists, type_)


def as_list(b: FunctionBuilder, value: Value, operation: str, result: Type) -> Value:
    """Return the list that a value is, for an operation on lists whose result is of a type.

    Null is an empty one; any other value stops the program. Where the result is a list of known
    elements, so are all operands, or they are null.
    """
    if isinstance(value.type, ListType):
        return value
    if isinstance(value.type, OptionalType) and isinstance(value.type.inner, ListType):
        return list_or_empty(b, value, value.type.inner)
    if isinstance(result, ListType):
        return list_or_empty(b, value, result)
    args = (b.convert(value, ANY), b.string(operation), b.here())
    return b.runtime("expect_list", args, ANY)


def list_or_empty(b: FunctionBuilder, value: Value, type_: ListType) -> Value:
    """Return a list; null counts as an empty one."""
    if value.op == "null" or value.type is NULL:
        return b.emit("list.new", (), type_)
    if value.type is ANY or isinstance(value.type, OptionalType):
        inner = value.type.inner if isinstance(value.type, OptionalType) else ANY
        return b.choose(
            b.branch(b.emit("is_null", (value,), BOOL)),
            lambda: b.emit("list.new", (), type_),
            lambda: b.convert(b.emit("any.cast", (value,), inner), type_),
        )
    return b.convert(value, type_)


EXPRESSIONS: ExpressionRules = {ast.Binary: _binary, ast.Unary: _unary}
