"""Builds calls of builtins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    STRING,
    VOID,
    FunType,
    ListType,
    MapType,
    Type,
    list_of,
    optional_of,
)
from mochi_rules.compiler.irbuild.access import element_at, length_of, slice_of
from mochi_rules.compiler.irbuild.aggregates import aggregate
from mochi_rules.compiler.irbuild.casts import cast
from mochi_rules.compiler.irbuild.loops import iterate
from mochi_rules.compiler.irbuild.objects import as_function
from mochi_rules.compiler.irbuild.operators import as_list, as_text, contains, list_or_empty
from mochi_rules.compiler.irbuild.queries.query import fold_query
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder

_NUMBERS = (INT, FLOAT)
_PRINT = {INT: "print_int", FLOAT: "print_float", BOOL: "print_bool", STRING: "print_string"}

# Builtins that are one runtime function of arguments of fixed types.
_PLAIN: dict[str, tuple[str, tuple[Type, ...], Type, bool]] = {
    "input": ("input_line", (), STRING, False),
    "now": ("now_nanoseconds", (), INT, False),
    "build_info": ("build_info", (STRING,), STRING, False),
    "to_json": ("json_text", (ANY,), STRING, False),
    "upper": ("string_upper", (STRING,), STRING, False),
    "trim": ("string_trim", (STRING,), STRING, False),
    "split": ("string_split", (STRING, STRING), list_of(STRING), False),
    "repeat": ("string_repeat", (STRING, INT), STRING, False),
    "padStart": ("string_pad_start", (STRING, INT, STRING), STRING, False),
    "bool": ("any_truthy", (ANY,), BOOL, False),
}


def call_builtin(b: FunctionBuilder, node: ast.Call, name: str) -> Value:
    """Build a call of a builtin."""
    if name in _PLAIN:
        function, types, result, _ = _PLAIN[name]
        args = [b.value(arg, type_) for arg, type_ in zip(node.args, types, strict=False)]
        return b.runtime(function, args, result)
    if len(node.args) == 1 and isinstance(node.args[0], ast.Query):
        folded = fold_query(b, node.args[0], name)
        if folded is not None:
            return folded
    values = [b.expression(arg) for arg in node.args]
    b.at(node)
    return _RULES[name](b, node, values)


# Output


def _print(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    is_trimmed = len(args) > 2  # from three arguments on
    if is_trimmed and not (_is_solid(args[0]) and _is_solid(args[-1])):
        line = _text(b, args[0])
        for arg in args[1:]:
            line = b.emit("string.concat", (line, b.string(" ")), STRING)
            line = b.emit("string.concat", (line, _text(b, arg)), STRING)
        b.runtime("print_trimmed", (line,), VOID)
    else:
        for number, arg in enumerate(args):
            if number:
                b.runtime("print_space", (), VOID)
            _print_one(b, arg)
        b.runtime("print_newline", (), VOID)
    return args[0] if args else b.null(ANY)


def _print_one(b: FunctionBuilder, value: Value) -> None:
    name = _PRINT.get(value.type)
    if name is None:
        name, value = "print_any", b.convert(value, ANY)
    b.runtime(name, (value,), VOID)


def _text(b: FunctionBuilder, value: Value) -> Value:
    """Return a value as print shows it."""
    if value.type in (STRING, INT, FLOAT):
        return as_text(b, value)
    return b.runtime("text_of_any", (b.convert(value, ANY),), STRING)


def _json(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    b.runtime("json_print", (b.convert(args[0], ANY),), VOID)
    return args[0]


def _panic(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    b.runtime("panic_with", (b.convert(args[0], ANY), b.here()), VOID)
    b.stop()
    return b.null(ANY)


# Conversions


def _str(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    return as_text(b, args[0])


def _lower(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    return b.runtime("string_lower", (as_text(b, args[0]),), STRING)


def _int(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    return cast(b, args[0], INT)


def _float(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    return cast(b, args[0], FLOAT)


def _parse_int(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    base = b.convert(args[1], INT) if len(args) > 1 else b.const(10, INT)
    return b.runtime("parse_int_base", (b.convert(args[0], STRING), base, b.here()), INT)


# Lists, maps and strings


def _len(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    return length_of(b, args[0])


def _exists(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    if isinstance(args[0].type, ListType):
        return b.emit("ne", (length_of(b, args[0]), b.const(0, INT)), BOOL)
    return b.runtime("any_exists", (b.convert(args[0], ANY),), BOOL)


def _append(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    type_ = resolve(node.cell)
    xs, item = args
    if not isinstance(type_, ListType) or xs.type is ANY:
        xs, item = b.convert(xs, ANY), b.convert(item, ANY)
        return b.runtime("any_append", (xs, item, b.here()), ANY)
    xs, item = list_or_empty(b, xs, type_), b.convert(item, type_.element)
    return b.emit("list.append", (xs, item), type_)


def _concat(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    type_ = resolve(node.cell)
    whole = b.emit("list.new", (), type_ if isinstance(type_, ListType) else list_of(ANY))
    for arg in args:
        items = as_list(b, arg, "concat", type_)
        is_alike = items.type is whole.type and isinstance(type_, ListType)
        whole = b.runtime("list_concat" if is_alike else "list_union_all", (whole, items), type_)
    return b.convert(whole, type_)


def _first(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    return _at_end(b, args[0], is_last=False)


def _last(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    return _at_end(b, args[0], is_last=True)


def _at_end(b: FunctionBuilder, value: Value, *, is_last: bool) -> Value:
    value = b.not_null(value)
    if not isinstance(value.type, ListType):
        value = _list_of_any(b, value)
    assert isinstance(value.type, ListType)
    wanted, length = optional_of(value.type.element), length_of(b, value)
    zero = b.const(0, INT)

    def present() -> Value:
        at = b.emit("sub", (length, b.const(1, INT)), INT) if is_last else zero
        return b.convert(element_at(b, value, at, length), wanted)

    return b.choose(b.branch(b.emit("eq", (length, zero), BOOL)), lambda: b.null(wanted), present)


def _reverse(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    value = b.not_null(args[0])
    if value.type is STRING:
        return b.runtime("string_reverse", (value,), STRING)
    if not isinstance(value.type, ListType):
        return b.runtime("any_reverse", (b.convert(value, ANY), b.here()), ANY)
    return b.runtime("list_reverse", (value,), value.type)


def _distinct(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    return _list_function(b, "list_distinct", b.not_null(args[0]))


def _sort(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    return _list_function(b, "list_sort", b.not_null(args[0]))


def _list_function(b: FunctionBuilder, name: str, value: Value) -> Value:
    if not isinstance(value.type, ListType):
        value = _list_of_any(b, value)
        return b.convert(b.runtime(name, (value,), value.type), ANY)
    return b.runtime(name, (value,), value.type)


def _list_of_any(b: FunctionBuilder, value: Value) -> Value:
    """Return the elements that a loop over a value visits, as a list of tagged words."""
    items = b.runtime("any_iterate", (b.convert(value, ANY), b.here()), ANY)
    return b.runtime("list_of_any", (items,), list_of(ANY))


def _slice(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    low, high = b.convert(args[1], INT), b.convert(args[2], INT)
    return slice_of(b, b.not_null(args[0]), low, high)


def _range(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    low = b.convert(args[0], INT) if len(args) > 1 else b.const(0, INT)
    high = b.convert(args[1] if len(args) > 1 else args[0], INT)
    step = b.convert(args[2], INT) if len(args) > 2 else b.const(1, INT)
    return b.runtime("list_range", (low, high, step), list_of(INT))


def part_of(b: FunctionBuilder, value: Value, name: str) -> Value:
    """Return the keys or the values of a map."""
    value = b.not_null(value)
    if isinstance(value.type, MapType):
        element = value.type.key if name == "keys" else value.type.value
        return b.runtime(f"map_{name}", (value,), list_of(element))
    return b.runtime(f"any_{name}", (b.convert(value, ANY), b.here()), list_of(ANY))


def _index_of(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    whole = b.not_null(args[0])
    if isinstance(whole.type, ListType):
        return b.runtime("list_index_of", (whole, b.convert(args[1], ANY)), INT)
    texts = (b.convert(whole, STRING), b.convert(args[1], STRING))
    return b.runtime("string_index_of", texts, INT)


def _join(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    """Join the texts of the elements."""
    parts = b.not_null(args[0])
    if parts.type is not list_of(STRING):
        key = _Accumulator()
        b.env[key] = b.emit("list.new", (), list_of(STRING))

        def step(item: Value) -> None:
            text = as_text(b, item)
            b.env[key] = b.emit("list.append", (b.env[key], text), list_of(STRING))

        iterate(b, parts, [key], step)
        parts = b.env.pop(key)
    return b.runtime("string_join", (parts, b.convert(args[1], STRING)), STRING)


def _reduce(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    type_ = resolve(node.cell)
    items, function, initial = args
    function = as_function(b, function, 2)
    key = _Accumulator()
    b.env[key] = b.convert(initial, type_)

    def step(item: Value) -> None:
        signature = function.type
        assert isinstance(signature, FunType)
        left = b.convert(b.env[key], signature.params[0])
        right = b.convert(item, signature.params[1])
        value = b.emit("closure.call", (function, left, right), signature.result)
        b.env[key] = b.convert(value, type_)

    iterate(b, items, [key], step)
    return b.env.pop(key)


# Numbers


def _extreme(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    """The least or greatest element of one list, or argument of several."""
    assert hasattr(node.callee, "name")
    name = node.callee.name
    if len(args) == 1:
        return aggregate(b, name, args[0])
    type_ = resolve(node.cell)
    values = [b.convert(arg, type_) for arg in args]
    if type_ not in _NUMBERS:
        return aggregate(b, name, b.emit("list.new", values, list_of(type_)))
    best = values[0]
    for value in values[1:]:
        better = b.emit("lt" if name == "min" else "gt", (value, best), BOOL)
        best = b.emit("select", (better, value, best), type_)
    return best


def _number(b: FunctionBuilder, value: Value) -> Value:
    """Return an int or a float."""
    value = b.not_null(value)
    return value if value.type in _NUMBERS else cast(b, value, FLOAT)


def _is_bigint(node: ast.Expr) -> bool:
    return node.cell.find().kind == "bigint"  # type: ignore[no-any-return]


def _abs(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    if _is_bigint(node.args[0]):
        return b.runtime("big_abs", (b.convert(args[0], ANY), b.here()), ANY)
    value = _number(b, args[0])
    if value.type is FLOAT:
        return b.emit("abs", (value,), FLOAT)
    return b.runtime("int_abs", (value, b.here()), INT)


def _round(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    if _is_bigint(node.args[0]):
        return args[0]
    value = _number(b, args[0])
    digits = b.convert(args[1], INT) if len(args) > 1 else b.const(0, INT)
    if value.type is INT and (len(args) == 1 or resolve(node.cell) is INT):
        return value
    return b.runtime("round_float", (b.convert(value, FLOAT), digits), FLOAT)


def _floor(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    if _is_bigint(node.args[0]):
        return args[0]
    value = _number(b, args[0])
    assert hasattr(node.callee, "name")
    return value if value.type is INT else b.emit(node.callee.name, (value,), FLOAT)


def _pow(b: FunctionBuilder, node: ast.Call, args: list[Value]) -> Value:
    if _is_bigint(node.args[0]) and resolve(node.args[1].cell) in (ANY, INT):
        exponent = b.convert(args[1], INT)
        return b.runtime("big_pow", (b.convert(args[0], ANY), exponent), ANY)
    base, exponent = _number(b, args[0]), _number(b, args[1])
    if base.type is INT and exponent.type is INT:
        return b.runtime("pow_int", (base, exponent, b.here()), INT)
    floats = (b.convert(base, FLOAT), b.convert(exponent, FLOAT))
    return b.runtime("float_pow", floats, FLOAT)


def _is_solid(value: Value) -> bool:
    """Whether the text of a value certainly begins and ends with something visible."""
    if value.op == "string":
        text = value.attr.decode(errors="replace")
        return bool(text) and text.strip() == text
    return value.type in (INT, FLOAT, BOOL)


class _Accumulator:
    """The value under construction, as a variable."""

    name = "accumulator"


_RULES: dict[str, Callable[[FunctionBuilder, ast.Call, list[Value]], Value]] = {
    "print": _print, "json": _json, "len": _len, "count": _len,
    "str": _str, "string": _str, "lower": _lower, "int": _int,
    "float": _float, "append": _append, "push": _append,
    "concat": _concat, "first": _first, "last": _last,
    "exists": _exists, "panic": _panic, "error": _panic,
    "reverse": _reverse,
    "distinct": _distinct, "sort": _sort, "slice": _slice,
    "substring": _slice, "substr": _slice, "range": _range,
    "keys": lambda b, _, args: part_of(b, args[0], "keys"),
    "values": lambda b, _, args: part_of(b, args[0], "values"),
    "sum": lambda b, _, args: aggregate(b, "sum", args[0]),
    "avg": lambda b, _, args: aggregate(b, "avg", args[0]),
    "min": _extreme, "max": _extreme, "abs": _abs, "round": _round,
    "floor": _floor, "ceil": _floor, "pow": _pow,
    "contains": lambda b, _, args: contains(b, args[0], args[1]),
    "join": _join,
    "sha256": lambda b, _, args: b.runtime(
        "sha256", (b.convert(args[0], ANY), b.here()), list_of(INT)
    ),
    "indexOf": _index_of, "parseIntStr": _parse_int, "reduce": _reduce,
}  # fmt: skip
