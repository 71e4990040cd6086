"""Errors of names and types against their goldens: tests/golden/errors/T*."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.base.render import render_all
from mochi_rules.compiler.driver import CompileRequest, compile_program

ERRORS = Path(__file__).parents[2] / "golden" / "errors"


@pytest.mark.parametrize("name", sorted(path.stem for path in ERRORS.glob("T*.mochi")))
def test_error_is_shown_as_its_golden(name, golden) -> None:
    """The program gives no wasm, and its diagnostics read as the golden says."""
    source = (ERRORS / f"{name}.mochi").read_text(encoding="utf-8")
    result = compile_program(CompileRequest(f"{name}.mochi", {f"{name}.mochi": source}))
    assert result.wasm == b""
    golden(ERRORS / f"{name}.err", render_all(result.diagnostics))


def test_only_the_first_hundred_unknown_names_get_a_suggestion() -> None:
    """Looking for a similar name takes time for each name there is."""
    lines = ["let total = 1", *(f"print(totel{number})" for number in range(150))]
    result = compile_program(CompileRequest("x.mochi", {"x.mochi": "\n".join(lines)}))
    assert [bool(error.help) for error in result.diagnostics] == [True] * 100 + [False] * 50
