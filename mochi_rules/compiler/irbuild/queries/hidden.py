"""The hidden variables of a query, which its loops assign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.types import list_of
from mochi_rules.compiler.irbuild.loops import Hidden

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Value
    from mochi_rules.compiler.ir.types import Type
    from mochi_rules.compiler.irbuild.context import FunctionBuilder


class HiddenVariables:
    """`keys` is shared with the loops under construction."""

    def __init__(self, builder: FunctionBuilder) -> None:
        self.b = builder
        self.keys: list[Hidden] = []

    def new(self, name: str, value: Value) -> Hidden:
        """Make a variable with its first value."""
        key = Hidden(name)
        self.keys.append(key)
        self.b.env[key] = value
        return key

    def new_list(self, name: str, element: Type) -> Hidden:
        """Make a variable that is an empty list."""
        return self.new(name, self.b.emit("list.new", (), list_of(element)))

    def append(self, key: Hidden, value: Value) -> None:
        """Append to the list that a variable is."""
        xs = self.b.env[key]
        self.b.env[key] = self.b.emit("list.append", (xs, value), xs.type)

    def drop(self) -> None:
        """Forget the variables."""
        for key in self.keys:
            if key in self.b.env:
                self.b.env.pop(key)
