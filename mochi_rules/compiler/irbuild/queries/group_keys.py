"""Numbers groups by their keys: equal keys have the same number, new ones the next.

Keys are the same where their text is. Of ints, floats, bools and strings the values themselves
are looked up, since two of one type have the same text where they are equal; several keys are
looked up one after the other, each together with the number of those before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.infer.queries import key_name
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    STRING,
    WORD,
    MapType,
    OptionalType,
    Type,
    map_of,
    optional_of,
)
from mochi_rules.compiler.names.scopes import key_parts
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder

_PLAIN = (INT, FLOAT, BOOL, STRING)
_NO_NUMBER = 0x7FF8_0000_0000_0000  # the bits that stand for all NaNs


def _record_names(group: ast.QueryGroup) -> dict[str, ast.Expr]:
    """Return the components of a key that is a record, by name; empty where it is one value."""
    if len(group.keys) > 1:
        return {key_name(node, group): node for node in group.keys}
    (key,) = group.keys
    parts = key_parts(group)
    return parts if isinstance(key, ast.MapLit) and len(parts) == len(key.items) else {}


def _type(node: ast.Expr) -> Type:
    """Return the type that the value of a key has of itself."""
    if isinstance(node, (ast.Field, ast.Index)):
        base = resolve(node.base.cell) if node.base.cell else ANY
        if isinstance(base, MapType):
            return optional_of(base.value)
    return resolve(node.cell)


class _Component:
    """The numbers of the values that one component of a key has had."""

    def __init__(self, builder: FunctionBuilder, type_: Type) -> None:
        self.b = builder
        self.type = type_
        inner = type_.inner if isinstance(type_, OptionalType) else type_
        self.numbers = builder.emit("map.new", (), map_of(STRING if inner is STRING else INT, INT))
        self.null = None
        if isinstance(type_, OptionalType):
            self.null = builder.emit("map.new", (), map_of(INT, INT))

    def count(self) -> Value:
        """Return how many there are."""
        b = self.b
        count = b.emit("map.len", (self.numbers,), INT)
        if self.null is None:
            return count
        return b.emit("add", (count, b.emit("map.len", (self.null,), INT)), INT)

    def number(self, value: Value, following: Value) -> Value:
        """Return the number of a value; a new one gets the number that follows."""
        b, null = self.b, self.null
        value = b.convert(value, self.type)
        if null is None:
            return _look_up(b, self.numbers, _plain_key(b, value), following)
        inner = value.type.inner if isinstance(value.type, OptionalType) else value.type
        return b.choose(
            b.branch(b.emit("is_null", (value,), BOOL)),
            lambda: _look_up(b, null, b.const(0, INT), following),
            lambda: _look_up(
                b, self.numbers, _plain_key(b, b.emit("any.cast", (value,), inner)), following
            ),
        )


def _plain_key(b: FunctionBuilder, value: Value) -> Value:
    """Return a value as the key of a map."""
    if value.type is BOOL:
        return b.emit("int.of_word", (b.emit("word.of_bool", (value,), WORD),), INT)
    if value.type is not FLOAT:
        return value
    bits = b.emit("bits.of_float", (value,), INT)
    is_number = b.emit("eq", (value, value), BOOL)
    return b.emit("select", (is_number, bits, b.const(_NO_NUMBER, INT)), INT)


def _look_up(b: FunctionBuilder, numbers: Value, key: Value, following: Value) -> Value:
    """Return the number of a key; a new one gets the number that follows."""
    before = b.emit("map.len", (numbers,), INT)
    entry = b.emit("map.insert", (numbers, key), WORD)
    is_new = b.emit("ne", (b.emit("map.len", (numbers,), INT), before), BOOL)

    def add() -> Value:
        b.emit("entry.store", (numbers, entry, following))
        return following

    known = lambda: b.emit("entry.load", (numbers, entry), INT)  # noqa: E731
    return b.choose(b.branch(is_new, likely=False), add, known)


class KeyNumbers:
    """The numbers of the keys of one `group by`."""

    def __init__(self, builder: FunctionBuilder, group: ast.QueryGroup) -> None:
        self.b = builder
        self.names = _record_names(group)
        self.nodes = list(self.names.values()) if self.names else group.keys
        types = [_type(node) for node in self.nodes]
        self.text = None
        if not all(map(self._has_own_identity, types)):
            self.text = _Component(builder, STRING)
            return
        self.components = [_Component(builder, type_) for type_ in types]
        self.pairs = [builder.emit("map.new", (), map_of(INT, INT)) for _ in types[1:]]

    def _has_own_identity(self, type_: Type) -> bool:
        inner = type_.inner if isinstance(type_, OptionalType) else type_
        if inner is STRING and inner is not type_ and not self.names:
            return False  # null has the text of the string "nil"
        return inner in _PLAIN

    def number(self, values: list[Value], whole: Callable[[], Value], following: Value) -> Value:
        """Return the number of a key; a new one gets the number that follows.

        `values` are those of `nodes`, and `whole` builds what the program gets as the key.
        """
        b = self.b
        if self.text is not None:
            text = b.runtime("string_of_any", (b.convert(whole(), ANY),), STRING)
            return self.text.number(text, following)
        first, *others = self.components
        number = first.number(values[0], first.count() if others else following)
        for component, pairs, value in zip(others, self.pairs, values[1:], strict=True):
            is_last = component is others[-1]
            second = component.number(value, component.count())
            pair = b.emit("or", (b.emit("shl", (number, b.const(32, INT)), INT), second), INT)
            next_pair = following if is_last else b.emit("map.len", (pairs,), INT)
            number = _look_up(b, pairs, pair, next_pair)
        return number
