"""The functions of the IR that no function of the source corresponds to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Site
    from mochi_rules.compiler.names.symbols import Function, Struct


@dataclass(frozen=True, slots=True)
class Thunk:
    """A function with the signature of function values: the closure, then the arguments.

    The closure holds the first `bound` arguments of the target, then the target's captures.
    """

    target: Function
    bound: int


@dataclass(frozen=True, slots=True)
class _OfStruct:
    """What is made for a struct."""

    struct: Struct

    @property
    def target(self) -> Function:
        """The function whose module it belongs to."""
        assert self.struct.module.top is not None
        return self.struct.module.top


@dataclass(frozen=True, slots=True)
class StructCast(_OfStruct):
    """The function that makes a struct of a map: of a value and of the place of the cast.

    A struct may contain itself, so a cast cannot be expanded where it stands. `site` is the first
    cast, for what stops the program without a place of its own.
    """

    site: Site | None


@dataclass(frozen=True, slots=True)
class StructMaker(_OfStruct):
    """The function that makes a struct of its fields, for callers in C."""


@dataclass(frozen=True, slots=True)
class FieldGetter(_OfStruct):
    """The function that returns a field of a struct, for callers in C."""

    field: str


if TYPE_CHECKING:
    Item = Function | Thunk | StructCast | StructMaker | FieldGetter
