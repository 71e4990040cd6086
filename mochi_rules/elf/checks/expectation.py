"""What a request demands of an artifact, as plain values."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.elf.artifact import Artifact, Symbol
    from mochi_rules.elf.engine_section import Engine
    from mochi_rules.elf.schema import FlagValue, Schema, TunableValue
    from mochi_rules.elf.triple_layout import Layout


class Kind(Enum):
    """What an artifact was compiled from; the value is its bit of e_flags."""

    MODULE = 0x1
    COMPONENT = 0x2


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was requested. None means not requested: then only consistency is checked.

    `isa_flags` are the CPU features that the code may use. `shared_flags` and `tunables` map
    the names in the engine section to values, None for a value that is not checked. `features`
    are the WebAssembly features, by single bits as in Schema. `functions` is the number of
    functions that a module defines, imports not counted; of a component it is not known, for
    Wasmtime adds adapters. `major` is that of Wasmtime.
    """

    kind: Kind | None = None
    triple: str | None = None
    isa_flags: frozenset[str] | None = None
    shared_flags: Mapping[str, FlagValue | None] | None = None
    tunables: Mapping[str, TunableValue] | None = None
    features: frozenset[str] | None = None
    functions: int | None = None
    debug_info: bool | None = None
    major: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a check looks at: the artifact, what was requested, and what follows from both.

    `engine` is None when the engine section is missing or damaged; `engine_fault` says how.
    `layout` belongs to the requested triple, or else to the one the artifact names; it is None
    when there is neither, or its architecture is not known. `functions` are the symbols of all
    that has code: functions, trampolines, builtins.
    """

    artifact: Artifact
    expectation: Expectation
    engine: Engine | None
    engine_fault: str
    schema: Schema | None
    layout: Layout | None
    functions: tuple[Symbol, ...]

    def setting(self, name: str) -> TunableValue:
        """Return the value of an engine setting, None when it is not known."""
        if self.engine is None or self.engine.tunables is None:
            return None
        return self.engine.tunables.get(name)
