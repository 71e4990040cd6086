"""Builds the IR of a program: the functions that the top level reaches, or all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.ir import function as ir
from mochi_rules.compiler.irbuild.exports import find_exports
from mochi_rules.compiler.irbuild.function import build_function
from mochi_rules.compiler.irbuild.state import ProgramState

if TYPE_CHECKING:
    from collections.abc import Collection

    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.compiler.names.scopes import Resolution
    from mochi_rules.compiler.runtime.library import Library


def build_program(
    resolution: Resolution,
    library: Library,
    diagnostics: Diagnostics,
    *,
    with_tests: bool = False,
    with_all: bool = False,
    exports: Collection[str] = (),
) -> ir.Program:
    """Build a program; `with_tests`, so that each of its tests can be run by itself.

    `with_all` builds the functions that nothing reaches too. C can call the exported functions of
    the sources `exports`.

    Emits: T002, T090, T094.
    """
    state = ProgramState(resolution, library, diagnostics)
    files = [module.source.name for module in resolution.modules]
    main = resolution.modules[-1].top
    assert main is not None
    tests: list[str] | None = [] if with_tests else None
    state.program = ir.Program(files, {}, {}, {}, state.name_of(main), tests, resolution.has_bigint)
    for symbol in resolution.functions if with_all else ():
        state.name_of(symbol)
    if exports:
        state.program.exports = find_exports(state, exports)
    while state.queue:
        function = build_function(state, state.queue.pop(0))
        state.program.functions[function.name] = function
    return state.program
