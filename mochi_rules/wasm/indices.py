"""Index spaces: the numbers that stand for names and types in a binary (core 2.0, §2.5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mochi_rules.wasm.types import FuncType, GlobalType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.wasm.module import Module


class Indices:
    """The indices of a module's functions, globals, data segments and types.

    Imports come first. A type gets its index when it is first asked for: those of imported
    functions at once. An unknown or doubled name is a mistake of the program that built the
    module, and raises AssertionError.
    """

    def __init__(self, module: Module) -> None:
        functions = [item for item in module.imports if isinstance(item.type, FuncType)]
        globals_ = [item for item in module.imports if isinstance(item.type, GlobalType)]
        self.types: dict[FuncType, int] = {}
        self.functions = _number("function", [*functions, *module.functions])
        self.globals = _number("global", [*globals_, *module.globals])
        self.data = _number("data segment", module.data)
        for item in module.imports:
            if isinstance(item.type, FuncType):
                self.type(item.type)

    def type(self, type_: FuncType) -> int:
        """Return the index of a type, a new one if need be."""
        return self.types.setdefault(type_, len(self.types))

    def function(self, name: str) -> int:
        """Return the index of a function."""
        return _find("function", self.functions, name)

    def global_(self, name: str) -> int:
        """Return the index of a global."""
        return _find("global", self.globals, name)

    def segment(self, name: str) -> int:
        """Return the index of a data segment."""
        return _find("data segment", self.data, name)


class _Named(Protocol):
    name: str


def _number(kind: str, items: Iterable[_Named]) -> dict[str, int]:
    names = [item.name for item in items]
    numbers = {name: number for number, name in enumerate(names)}
    if len(numbers) < len(names):
        doubled = next(name for number, name in enumerate(names) if numbers[name] != number)
        raise AssertionError(f"two {kind}s are named `{doubled}`")
    return numbers


def _find(kind: str, numbers: dict[str, int], name: str) -> int:
    if name not in numbers:
        raise AssertionError(f"no {kind} is named `{name}`")
    return numbers[name]
