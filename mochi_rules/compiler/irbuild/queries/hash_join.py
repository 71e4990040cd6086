"""Hash joins: the joined elements whose keys may be those of a row, found by their hash.

The elements with one hash are a chain in the order of their indices. So a hash join visits the
elements in the order of a nested loop, but not all of them. Hashes agree with `==`
across types, and keys are compared where hashes meet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import ANY, BOOL, FLOAT, INT, STRING, WORD, OptionalType, list_of
from mochi_rules.compiler.irbuild.access import element_at
from mochi_rules.compiler.irbuild.loops import count
from mochi_rules.compiler.irbuild.operators import equal
from mochi_rules.compiler.irbuild.queries.hidden import HiddenVariables

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.irbuild.context import FunctionBuilder
    from mochi_rules.compiler.irbuild.queries.plan import Source
    from mochi_rules.compiler.syntax import ast

_HASHES = {INT: "int_value_hash", FLOAT: "float_value_hash", STRING: "string_hash"}


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
            hidden.append(hashes, self._hash([key.build for key in self.keys])[0])

        count(b, b.const(0, INT), length, hidden.keys, step)
        return b.env.pop(hashes)

    def _hash(self, nodes: list[ast.Expr]) -> tuple[Value, list[Value]]:
        """Return the hash of some expressions, and their values."""
        b = self.b
        values = [b.expression(node) for node in nodes]
        hashes = [self._hash_of(value) for value in values]
        whole = hashes[0]
        for one in hashes[1:]:
            whole = b.runtime("hash_pair", (whole, one), WORD)
        return b.emit("int.of_word", (whole,), INT), values

    def _hash_of(self, value: Value) -> Value:
        b = self.b
        if value.type in _HASHES:
            return b.runtime(_HASHES[value.type], (value,), WORD)
        if isinstance(value.type, OptionalType) and value.type.inner in _HASHES:
            inner = value.type.inner
            return b.choose(
                b.branch(b.emit("is_null", (value,), BOOL)),
                lambda: b.const(0, WORD),  # as any_value_hash has it
                lambda: self._hash_of(b.emit("any.cast", (value,), inner)),
            )
        return b.runtime("any_value_hash", (b.convert(value, ANY),), WORD)

    def find(self) -> tuple[Value, list[Value]]:
        """Return the first index for the current row, and the values of its keys."""
        b = self.b
        whole, values = self._hash([key.probe for key in self.keys])
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
