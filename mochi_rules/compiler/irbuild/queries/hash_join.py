"""Hash joins: the joined elements whose keys may be those of a row, found by their hash.

The elements with one hash are a chain in the order of their indices. So a hash join visits the
elements in the order of a nested loop, but not all of them. Hashes agree with `==`
across types, and keys are compared where hashes meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    ANY,
    BOOL,
    FLOAT,
    INT,
    STRING,
    WORD,
    OptionalType,
    list_of,
    optional_of,
)
from mochi_rules.compiler.irbuild.access import element_at
from mochi_rules.compiler.irbuild.loops import count
from mochi_rules.compiler.irbuild.operators import equal
from mochi_rules.compiler.irbuild.queries.hidden import HiddenVariables

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder
    from mochi_rules.compiler.irbuild.queries.plan import Key, Source
    from mochi_rules.compiler.syntax import ast

_HASHES = {INT: "int_value_hash", FLOAT: "float_value_hash", STRING: "string_hash"}
_FACTOR = -7046029254386353131


class HashIndex:
    """The chains of a joined list, as a list of ints.

    First the next index for each index, where the number of elements ends a chain; then the next
    one of that, so that a loop that also goes through the end knows where to stop; and then the
    first index for each remainder of hashes.
    """

    def __init__(self, builder: FunctionBuilder, source: Source, items: Value) -> None:
        self.b = builder
        self.keys = source.keys
        length = builder.emit("list.len", (items,), INT)
        hashes = self._hashes(source, items, length)
        self.chains = builder.runtime("hash_chains", (hashes,), list_of(INT))
        self.whole = builder.emit("list.len", (self.chains,), INT)
        self.start = builder.emit("add", (length, builder.const(1, INT)), INT)
        size = builder.emit("sub", (self.whole, self.start), INT)
        self.mask = builder.emit("sub", (size, builder.const(1, INT)), INT)

    def _hashes(self, source: Source, items: Value, length: Value) -> Value:
        b = self.b
        hidden = HiddenVariables(b)
        hashes = hidden.new_list("hashes", INT)

        def step(index: Value) -> None:
            b.declare(source.variable, element_at(b, items, index, length))
            hidden.append(hashes, self._hash([(key, key.build) for key in self.keys])[0])

        count(b, b.const(0, INT), length, hidden.keys, step)
        return b.env.pop(hashes)

    def _hash(self, sides: list[tuple[Key, ast.Expr]]) -> tuple[Value, list[Value]]:
        """Return the hash of one side of some keys, and their values."""
        b = self.b
        values = [
            b.value(node, resolve(node.cell)) if _is_int(key) else b.expression(node)
            for key, node in sides
        ]
        hashes = [
            self._hash_of(value, is_int=_is_int(key))
            for (key, _), value in zip(sides, values, strict=True)
        ]
        whole = hashes[0]
        for one in hashes[1:]:
            whole = b.runtime("hash_pair", (whole, one), WORD)
        return b.emit("int.of_word", (whole,), INT), values

    def _hash_of(self, value: Value, *, is_int: bool) -> Value:
        """Return the hash of a value; `is_int` is whether it is compared with ints alone."""
        b = self.b
        if is_int and value.type is INT:
            return self._hash_of_int(value)
        if value.type in _HASHES:
            return b.runtime(_HASHES[value.type], (value,), WORD)
        if isinstance(value.type, OptionalType) and value.type.inner in _HASHES:
            inner = value.type.inner
            return b.choose(
                b.branch(b.emit("is_null", (value,), BOOL)),
                lambda: b.const(0, WORD),  # as any_value_hash has it
                lambda: self._hash_of(b.emit("any.cast", (value,), inner), is_int=is_int),
            )
        return b.runtime("any_value_hash", (b.convert(value, ANY),), WORD)

    def _hash_of_int(self, value: Value) -> Value:
        """Compute what runtime/hash.mochi has as `int_hash`, without a call."""

        def compute(op: str, left: Value, right: Value | int) -> Value:
            other = b.const(right, INT) if isinstance(right, int) else right
            return b.emit(op, (left, other), INT)

        b = self.b
        high = compute("shr_u", value, 3)
        mixed = compute("mul", compute("xor", high, compute("shr_u", high, 32)), _FACTOR)
        group = compute("and", compute("shr_u", mixed, 32), -8)
        return b.emit("word.of_int", (compute("or", group, compute("and", value, 7)),), WORD)

    def find(self) -> tuple[Value, list[Value]]:
        """Return the first index for the current row, and the values of its keys."""
        b = self.b
        whole, values = self._hash([(key, key.probe) for key in self.keys])
        bucket = b.emit("and", (whole, self.mask), INT)
        place = b.emit("add", (bucket, self.start), INT)
        return element_at(b, self.chains, place, self.whole), values

    def next(self, index: Value) -> Value:
        """Return the index after another one."""
        return element_at(self.b, self.chains, index, self.whole)

    def is_match(self, number: int, probe: Value) -> Value:
        """Return whether a key of the current element is that of the row."""
        value = equal(self.b, probe, self.b.expression(self.keys[number].build))
        return self.b.convert(value, BOOL)


def _is_int(key: Key) -> bool:
    """Whether both sides of a key are ints, or null."""
    cells = (key.probe.cell, key.build.cell)
    return all(cell and resolve(cell) in (INT, optional_of(INT)) for cell in cells)
