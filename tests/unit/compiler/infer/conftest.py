"""Infers the types of a program, without building it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.infer.program import infer_program
from mochi_rules.compiler.names.modules import load_modules
from mochi_rules.compiler.names.resolve import resolve_program
from mochi_rules.compiler.names.symbols import Variable

if TYPE_CHECKING:
    from collections.abc import Callable


def infer(text: str) -> dict[str, str]:
    """Return the types of the variables at the top level; the program has no errors."""
    diagnostics = Diagnostics()
    modules = load_modules(("t.mochi",), {"t.mochi": text}, diagnostics)
    infer_program(resolve_program(modules, diagnostics), diagnostics)
    assert [*diagnostics.errors] == []
    names = modules[-1].names
    variables = {name: symbol for name, symbol in names.items() if isinstance(symbol, Variable)}
    return {name: str(resolve(symbol.type)) for name, symbol in variables.items()}


@pytest.fixture(scope="session")
def types() -> Callable[[str], dict[str, str]]:
    """Return what infers the types of a program's variables."""
    return infer
