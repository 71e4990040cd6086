"""Builds calls of the language's own functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    NULL,
    STRING,
    VOID,
    WORD,
    FunType,
    ListType,
    MapType,
    OptionalType,
    Type,
    list_of,
    optional_of,
)
from mochi_rules.compiler.irbuild.loops import iterate

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.function import FunctionBuilder
    from mochi_rules.compiler.syntax import ast

_NUMBERS = (INT, FLOAT)
_PRINT = {INT: "print_int", FLOAT: "print_float", BOOL: "print_bool", STRING: "print_string"}
_SLOTS = {INT: "int", FLOAT: "float", STRING: "string"}

# Builtins that are one runtime function of arguments of fixed types.
_PLAIN: dict[str, tuple[str, tuple[Type, ...], Type, bool]] = {
    "input": ("input_line", (), STRING, False),
    "now": ("now_nanoseconds", (), INT, False),
    "to_json": ("json_text", (ANY,), STRING, False),
    "upper": ("string_upper", (STRING,), STRING, False),
    "trim": ("string_trim", (STRING,), STRING, False),
    "split": ("string_split", (STRING, STRING), list_of(STRING), False),
    "repeat": ("string_repeat", (STRING, INT), STRING, False),
    "padStart": ("string_pad_start", (STRING, INT, STRING), STRING, False),
    "bool": ("any_truthy", (ANY,), BOOL, False),
}


class BuiltinBuilder:
    """What each builtin becomes."""

    def __init__(self, builder: FunctionBuilder) -> None:
        self.b = builder
        self.rules: dict[str, Callable[[ast.Call, list[Value]], Value]] = {
            "print": self._print, "json": self._json, "len": self._len, "count": self._len,
            "str": self._str, "string": self._str, "lower": self._lower, "int": self._int,
            "float": self._float, "append": self._append, "push": self._append,
            "concat": self._concat, "first": self._first, "last": self._last,
            "exists": self._exists, "panic": self._panic, "error": self._panic,
            "reverse": self._reverse,
            "distinct": self._distinct, "sort": self._sort, "slice": self._slice,
            "substring": self._slice, "substr": self._slice, "range": self._range,
            "keys": lambda _, args: self.part(args[0], "keys"),
            "values": lambda _, args: self.part(args[0], "values"),
            "sum": lambda node, args: self.aggregate("sum", args[0]),
            "avg": lambda node, args: self.aggregate("avg", args[0]),
            "min": self._extreme, "max": self._extreme, "abs": self._abs, "round": self._round,
            "floor": self._floor, "ceil": self._floor, "pow": self._pow,
            "contains": lambda _, args: builder.operators.contains(args[0], args[1]),
            "join": self._join,
            "indexOf": self._index_of, "parseIntStr": self._parse_int, "reduce": self._reduce,
        }  # fmt: skip

    def call(self, node: ast.Call, name: str) -> Value:
        """Build a call of a builtin."""
        b = self.b
        if name in _PLAIN:
            function, types, result, _ = _PLAIN[name]
            args = [b.value(arg, type_) for arg, type_ in zip(node.args, types, strict=False)]
            return b.runtime(function, args, result)
        values = [b.expression(arg) for arg in node.args]
        b.at(node)
        if name not in self.rules:
            b.error("T090", f"`{name}` is not supported yet", node)
            return b.null(ANY)
        return self.rules[name](node, values)

    # Output

    def _print(self, node: ast.Call, args: list[Value]) -> Value:
        b = self.b
        is_trimmed = len(args) > 2  # from three arguments on
        if is_trimmed and not (_is_solid(args[0]) and _is_solid(args[-1])):
            line = self._text(args[0])
            for arg in args[1:]:
                line = b.runtime("string_concat", (line, b.string(" ")), STRING)
                line = b.runtime("string_concat", (line, self._text(arg)), STRING)
            b.runtime("print_trimmed", (line,), VOID)
        else:
            for number, arg in enumerate(args):
                if number:
                    b.runtime("print_space", (), VOID)
                self._print_one(arg)
            b.runtime("print_newline", (), VOID)
        return args[0] if args else b.null(ANY)

    def _print_one(self, value: Value) -> None:
        name = _PRINT.get(value.type)
        if name is None:
            name, value = "print_any", self.b.convert(value, ANY)
        self.b.runtime(name, (value,), VOID)

    def _text(self, value: Value) -> Value:
        """Return a value as print shows it."""
        b = self.b
        if value.type in (STRING, INT, FLOAT):
            return b.operators.as_text(value)
        return b.runtime("text_of_any", (b.convert(value, ANY),), STRING)

    def _json(self, node: ast.Call, args: list[Value]) -> Value:
        self.b.runtime("json_print", (self.b.convert(args[0], ANY),), VOID)
        return args[0]

    def _panic(self, node: ast.Call, args: list[Value]) -> Value:
        b = self.b
        b.runtime("panic_with", (b.convert(args[0], ANY), b.here()), VOID)
        b.stop()
        return b.null(ANY)

    # Conversions

    def _str(self, node: ast.Call, args: list[Value]) -> Value:
        return self.b.operators.as_text(args[0])

    def _lower(self, node: ast.Call, args: list[Value]) -> Value:
        return self.b.runtime("string_lower", (self.b.operators.as_text(args[0]),), STRING)

    def _int(self, node: ast.Call, args: list[Value]) -> Value:
        return self.b.casts.cast(args[0], INT)

    def _float(self, node: ast.Call, args: list[Value]) -> Value:
        return self.b.casts.cast(args[0], FLOAT)

    def _parse_int(self, node: ast.Call, args: list[Value]) -> Value:
        b = self.b
        base = b.convert(args[1], INT) if len(args) > 1 else b.const(10, INT)
        return b.runtime("parse_int_base", (b.convert(args[0], STRING), base, b.here()), INT)

    # Lists, maps and strings

    def _len(self, node: ast.Call, args: list[Value]) -> Value:
        return self.length(args[0])

    def length(self, value: Value) -> Value:
        """Return the length of a list, map, string or anything."""
        b, type_ = self.b, value.type
        if isinstance(type_, ListType):
            return b.emit("list.len", (value,), INT)
        if isinstance(type_, MapType):
            return b.emit("map.len", (value,), INT)
        if type_ is STRING:
            return b.emit("string.len", (value,), INT)
        if isinstance(type_, OptionalType) and isinstance(type_.inner, (ListType, MapType)):
            ways = b.branch(b.emit("is_null", (value,), BOOL))
            inner = type_.inner
            return b.choose(
                ways,
                lambda: b.const(0, INT),
                lambda: self.length(b.emit("any.cast", (value,), inner)),
            )
        items = self._items(value)
        if items is not None:
            return self.length(items)
        return b.runtime("any_len", (b.convert(value, ANY), b.here()), INT)

    def _items(self, value: Value) -> Value | None:
        """Return the items of a query's group."""
        struct = self.b.struct_of(value.type)
        if struct is not None and struct.role == "group":
            return self.b.access.field(value, "items")
        return None

    def _exists(self, node: ast.Call, args: list[Value]) -> Value:
        if isinstance(args[0].type, ListType):
            return self.b.emit("ne", (self.length(args[0]), self.b.const(0, INT)), BOOL)
        return self.b.runtime("any_exists", (self.b.convert(args[0], ANY),), BOOL)

    def _append(self, node: ast.Call, args: list[Value]) -> Value:
        b, type_ = self.b, resolve(node.cell)
        xs, item = args
        if not isinstance(type_, ListType) or xs.type is ANY:
            xs, item = b.convert(xs, ANY), b.convert(item, ANY)
            return b.runtime("any_append", (xs, item, b.here()), ANY)
        xs, item = self._list_or_empty(xs, type_), b.convert(item, type_.element)
        return b.emit("list.append", (xs, item), type_)

    def _list_or_empty(self, value: Value, type_: ListType) -> Value:
        """Return a list; null counts as an empty one."""
        b = self.b
        if value.op == "null" or value.type is NULL:
            return b.emit("list.new", (), type_)
        if isinstance(value.type, OptionalType):
            return b.choose(
                b.branch(b.emit("is_null", (value,), BOOL)),
                lambda: b.emit("list.new", (), type_),
                lambda: b.emit("any.cast", (value,), type_),
            )
        return b.convert(value, type_)

    def _concat(self, node: ast.Call, args: list[Value]) -> Value:
        b, type_ = self.b, resolve(node.cell)
        whole = b.emit("list.new", (), type_ if isinstance(type_, ListType) else list_of(ANY))
        for arg in args:
            items = self.list_of(arg, "concat")
            is_alike = items.type is whole.type and isinstance(type_, ListType)
            whole = b.runtime(
                "list_concat" if is_alike else "list_union_all", (whole, items), type_
            )
        return b.convert(whole, type_)

    def list_of(self, value: Value, operation: str) -> Value:
        """Return the list that a value is, for runtime functions that take lists of any elements.

        Null is an empty one; what else is no list stops the program.
        """
        b = self.b
        if isinstance(value.type, ListType):
            return value
        if isinstance(value.type, OptionalType) and isinstance(value.type.inner, ListType):
            return self._list_or_empty(value, value.type.inner)
        args = (b.convert(value, ANY), b.string(operation), b.here())
        return b.runtime("expect_list", args, ANY)

    def _first(self, node: ast.Call, args: list[Value]) -> Value:
        return self._at_end(args[0], 0)

    def _last(self, node: ast.Call, args: list[Value]) -> Value:
        return self._at_end(args[0], -1)

    def _at_end(self, value: Value, index: int) -> Value:
        b = self.b
        value = b.access.not_null(value)
        if not isinstance(value.type, ListType):
            value = self._list_of_any(value)
        type_ = value.type
        assert isinstance(type_, ListType)
        wanted, length = optional_of(type_.element), self.length(value)
        return b.choose(
            b.branch(b.emit("eq", (length, b.const(0, INT)), BOOL)),
            lambda: b.null(wanted),
            lambda: b.convert(self._load_at_end(value, type_, length, index), wanted),
        )

    def _load_at_end(self, xs: Value, type_: ListType, length: Value, index: int) -> Value:
        b = self.b
        at = b.emit("index.wrap", (b.const(index, INT), length), INT)
        return b.emit("list.load", (xs, at), type_.element)

    def _reverse(self, node: ast.Call, args: list[Value]) -> Value:
        value = self.b.access.not_null(args[0])
        if value.type is STRING:
            return self.b.runtime("string_reverse", (value,), STRING)
        return self._list_function("list_reverse", value)

    def _distinct(self, node: ast.Call, args: list[Value]) -> Value:
        return self._list_function("list_distinct", self.b.access.not_null(args[0]))

    def _sort(self, node: ast.Call, args: list[Value]) -> Value:
        return self._list_function("list_sort", self.b.access.not_null(args[0]))

    def _list_function(self, name: str, value: Value) -> Value:
        b = self.b
        if not isinstance(value.type, ListType):
            value = self._list_of_any(value)
            return b.convert(b.runtime(name, (value,), value.type), ANY)
        return b.runtime(name, (value,), value.type)

    def _list_of_any(self, value: Value) -> Value:
        """Return what a loop over a value goes through, as a list of tagged words."""
        b = self.b
        items = b.runtime("any_iterate", (b.convert(value, ANY), b.here()), ANY)
        return b.runtime("list_of_any", (items,), list_of(ANY))

    def _slice(self, node: ast.Call, args: list[Value]) -> Value:
        b = self.b
        low, high = b.convert(args[1], INT), b.convert(args[2], INT)
        return b.access.slice(b.access.not_null(args[0]), low, high)

    def _range(self, node: ast.Call, args: list[Value]) -> Value:
        b = self.b
        low = b.convert(args[0], INT) if len(args) > 1 else b.const(0, INT)
        high = b.convert(args[1] if len(args) > 1 else args[0], INT)
        step = b.convert(args[2], INT) if len(args) > 2 else b.const(1, INT)
        return b.runtime("list_range", (low, high, step), list_of(INT))

    def part(self, value: Value, name: str) -> Value:
        """Return the keys or the values of a map."""
        b = self.b
        value = b.access.not_null(value)
        if isinstance(value.type, MapType):
            element = value.type.key if name == "keys" else value.type.value
            return b.runtime(f"map_{name}", (value,), list_of(element))
        return b.runtime(f"any_{name}", (b.convert(value, ANY), b.here()), list_of(ANY))

    def _index_of(self, node: ast.Call, args: list[Value]) -> Value:
        b = self.b
        whole = b.access.not_null(args[0])
        if isinstance(whole.type, ListType):
            return b.runtime("list_index_of", (whole, b.convert(args[1], ANY)), INT)
        texts = (b.convert(whole, STRING), b.convert(args[1], STRING))
        return b.runtime("string_index_of", texts, INT)

    def _join(self, node: ast.Call, args: list[Value]) -> Value:
        """Join the texts of the elements."""
        b, parts = self.b, self.b.access.not_null(args[0])
        if parts.type is not list_of(STRING):
            key = _Accumulator()
            b.env[key] = b.emit("list.new", (), list_of(STRING))

            def step(item: Value) -> None:
                text = b.operators.as_text(item)
                b.env[key] = b.emit("list.append", (b.env[key], text), list_of(STRING))

            iterate(b, parts, [key], step)
            parts = b.env.pop(key)
        return b.runtime("string_join", (parts, b.convert(args[1], STRING)), STRING)

    def _reduce(self, node: ast.Call, args: list[Value]) -> Value:
        b, type_ = self.b, resolve(node.cell)
        items, function, initial = args
        function = b.calls.callable(function, 2)
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

    def aggregate(self, name: str, value: Value) -> Value:
        """Return the sum, mean, least or greatest of a list's elements."""
        b = self.b
        value = self._items(value) or value
        type_ = value.type
        if isinstance(type_, ListType) and type_.element in _SLOTS:
            slot = _SLOTS[type_.element]
            if name in ("min", "max") or slot != "string":
                result = FLOAT if name == "avg" else type_.element
                return b.runtime(f"list_{name}_{slot}", (value,), result)
        return b.runtime(f"any_{name}", (b.convert(value, ANY), b.here()), ANY)

    def _extreme(self, node: ast.Call, args: list[Value]) -> Value:
        """The least or greatest element of one list, or argument of several."""
        assert hasattr(node.callee, "name")
        name = node.callee.name
        if len(args) == 1:
            return self.aggregate(name, args[0])
        b, type_ = self.b, resolve(node.cell)
        values = [b.convert(arg, type_) for arg in args]
        if type_ not in _NUMBERS:
            return self.aggregate(name, b.emit("list.new", values, list_of(type_)))
        best = values[0]
        for value in values[1:]:
            better = b.emit("lt" if name == "min" else "gt", (value, best), BOOL)
            best = b.emit("select", (better, value, best), type_)
        return best

    def _number(self, value: Value) -> Value:
        """Return an int or a float."""
        value = self.b.access.not_null(value)
        return value if value.type in _NUMBERS else self.b.casts.cast(value, FLOAT)

    def _abs(self, node: ast.Call, args: list[Value]) -> Value:
        b, value = self.b, self._number(args[0])
        if value.type is FLOAT:
            return b.emit("abs", (value,), FLOAT)
        return b.runtime("int_abs", (value, b.here()), INT)

    def _round(self, node: ast.Call, args: list[Value]) -> Value:
        b, value = self.b, self._number(args[0])
        digits = b.convert(args[1], INT) if len(args) > 1 else b.const(0, INT)
        if value.type is INT and (len(args) == 1 or resolve(node.cell) is INT):
            return value
        return b.runtime("round_float", (b.convert(value, FLOAT), digits), FLOAT)

    def _floor(self, node: ast.Call, args: list[Value]) -> Value:
        b, value = self.b, self._number(args[0])
        assert hasattr(node.callee, "name")
        return value if value.type is INT else b.emit(node.callee.name, (value,), FLOAT)

    def _pow(self, node: ast.Call, args: list[Value]) -> Value:
        b, base, exponent = self.b, self._number(args[0]), self._number(args[1])
        if base.type is INT and exponent.type is INT:
            return b.runtime("pow_int", (base, exponent, b.here()), INT)
        floats = (b.convert(base, FLOAT), b.convert(exponent, FLOAT))
        return b.runtime("float_pow", floats, FLOAT)


def _is_solid(value: Value) -> bool:
    """Whether the text of a value surely begins and ends with something visible."""
    if value.op == "string":
        text = value.attr.decode(errors="replace")
        return bool(text) and text.strip() == text
    return value.type in (INT, FLOAT, BOOL)


class _Accumulator:
    """The value under construction, as a variable."""

    name = "accumulator"


__all__ = ["WORD", "BuiltinBuilder"]
