"""What a pass may query besides its function: the program, the library, and cached facts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mochi_rules.compiler.ir.facts import Facts
from mochi_rules.compiler.ir.function import effects_of
from mochi_rules.compiler.passes.summaries import CLOSURES, SETTLED, own_effects, summarize

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Function, Program, Signature, Value
    from mochi_rules.compiler.ir.ops import Effects
    from mochi_rules.compiler.runtime.library import Library


class Context:
    """One run of the passes: over a program, or over one function of the runtime library.

    `program` is None in the library, and `library` is None in tests of single passes.
    """

    def __init__(
        self, functions: dict[str, Function], signatures: dict[str, Signature],
        program: Program | None = None, library: Library | None = None,
    ) -> None:  # fmt: skip
        self.functions = functions
        self.signatures = signatures
        self.program = program
        self.library = library
        self._facts: dict[Function, Facts] = {}

    def facts(self, function: Function) -> Facts:
        """Return what is known about a function; a pass that changes it must invalidate that."""
        if function not in self._facts:
            self._facts[function] = Facts(function)
        return self._facts[function]

    def effects(self, value: Value) -> Effects:
        """Return the effects of an instruction, and for a call those of the function."""
        if self.program is None:
            return effects_of(value)  # the library works on memory, whatever lies there
        settled = SETTLED.get(value.op)
        if settled is not None:
            return settled
        if value.op in ("call", "closure.call"):
            name = value.attr if value.op == "call" else value.op
            if name in self.functions or name == CLOSURES:
                return self._summaries.get(name) or own_effects(value)
        return own_effects(value)

    @cached_property
    def _summaries(self) -> dict[str, Effects]:
        return summarize(self.functions)
