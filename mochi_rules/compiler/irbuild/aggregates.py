"""Aggregates: of a list, and of values one at a time, without a list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    STRING,
    ListType,
    OptionalType,
    Type,
)
from mochi_rules.compiler.irbuild.access import items_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder

_SLOTS = {INT: "int", FLOAT: "float", STRING: "string"}
_COUNTS = frozenset({"count", "len", "exists"})
_NUMERIC = frozenset({"sum", "avg", "min", "max"})


def aggregate(b: FunctionBuilder, name: str, value: Value) -> Value:
    """Return the sum, mean, least or greatest of a list's elements."""
    value = items_of(b, value) or value
    type_ = value.type
    if isinstance(type_, ListType) and type_.element in _SLOTS:
        slot = _SLOTS[type_.element]
        if name in ("min", "max") or slot != "string":
            result = FLOAT if name == "avg" else type_.element
            return b.runtime(f"list_{name}_{slot}", (value,), result)
    return b.runtime(f"any_{name}", (b.convert(value, ANY), b.here()), ANY)


@dataclass(frozen=True, slots=True)
class Fold:
    """An aggregate of values of `type`, int or float; its state is some scalars."""

    name: str
    type: Type

    def start(self, b: FunctionBuilder) -> list[Value]:
        """Return the initial state."""
        none = b.const(0, INT)
        if not self.is_of_values:
            return [none]
        total = b.const(0.0, FLOAT) if self._total is FLOAT else none
        return [total] if self.name == "sum" else [total, none]

    @property
    def is_of_values(self) -> bool:
        """Whether it depends on the values, not only on how many there are."""
        return self.name not in _COUNTS

    @property
    def kept(self) -> list[Type]:
        """The types of the state."""
        if not self.is_of_values:
            return [INT]
        return [self._total] if self.name == "sum" else [self._total, INT]

    @property
    def _total(self) -> Type:
        return FLOAT if self.name == "avg" else self.type

    def step(self, b: FunctionBuilder, kept: list[Value], value: Value | None) -> list[Value]:
        """Return the state after a value; a count needs none."""
        one = b.const(1, INT)
        if not self.is_of_values:
            return [b.emit("add", (kept[0], one), INT)]
        assert value is not None
        value = b.convert(value, self._total)
        if self.name in ("sum", "avg"):
            new = b.emit("add", (kept[0], value), self._total)
        else:
            new = self._better(b, kept, value)
        return [new] if self.name == "sum" else [new, b.emit("add", (kept[1], one), INT)]

    def _better(self, b: FunctionBuilder, kept: list[Value], value: Value) -> Value:
        comparison = "lt" if self.name == "min" else "gt"
        is_better = b.emit(comparison, (value, kept[0]), BOOL)
        is_first = b.emit("eq", (kept[1], b.const(0, INT)), BOOL)
        best = b.emit("select", (is_better, value, kept[0]), self.type)
        return b.emit("select", (is_first, value, best), self.type)

    def result(self, b: FunctionBuilder, kept: list[Value]) -> Value:
        """Return the aggregate."""
        if self.name == "exists":
            return b.emit("ne", (kept[0], b.const(0, INT)), BOOL)
        if self.name != "avg":
            return kept[0]
        total, number = kept
        mean = b.emit("div", (total, b.emit("float.of_int", (number,), FLOAT)), FLOAT)
        is_empty = b.emit("eq", (number, b.const(0, INT)), BOOL)
        return b.emit("select", (is_empty, b.const(0.0, FLOAT), mean), FLOAT)

    def update(
        self, b: FunctionBuilder, value: Value | None,
        load: Callable[[], list[Value]], store: Callable[[list[Value]], None],
    ) -> None:  # fmt: skip
        """Add a value, unless it is null."""
        if value is None or not self.is_of_values or not isinstance(value.type, OptionalType):
            store(self.step(b, load(), value))
            return
        null, some = b.branch(b.emit("is_null", (value,), BOOL))
        b.merge(some)
        store(self.step(b, load(), b.emit("any.cast", (value,), value.type.inner)))
        b.merge(null + b.exits())


def fold_of(name: str, type_: Type) -> Fold | None:
    """Return the fold of a builtin for values of a type, or None."""
    if name in _COUNTS:
        return Fold(name, INT)
    inner = type_.inner if isinstance(type_, OptionalType) else type_
    return Fold(name, inner) if name in _NUMERIC and inner in (INT, FLOAT) else None
