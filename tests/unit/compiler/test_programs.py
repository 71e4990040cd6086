"""Whole programs against the output they must have: tests/golden/run and tests/golden/fail.

A program is NAME.mochi; NAME.out is its output, NAME.in its input. In `fail`, NAME.err is what it
says on standard error before it ends with status 1. Adding a case adds files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.compiler.driver import CompileRequest, compile_program
from tests.unit.compiler.conftest import run_wasm

GOLDEN = Path(__file__).parents[2] / "golden"


def _names(folder: str) -> list[str]:
    return sorted(path.stem for path in (GOLDEN / folder).glob("*.mochi"))


def _levelled(folder: str) -> list[object]:
    """Return each program at every level of optimization; the quick run has some below 2."""
    return [
        pytest.param(name, level, marks=[pytest.mark.slow] if level < 2 and at % 12 else [])
        for at, name in enumerate(_names(folder))
        for level in (2, 1, 0)
    ]


def _compile(folder: str, name: str, level: int) -> bytes:
    source = (GOLDEN / folder / f"{name}.mochi").read_text(encoding="utf-8")
    request = CompileRequest(
        f"{name}.mochi", {f"{name}.mochi": source}, check_leaks=True, optimize=level
    )
    result = compile_program(request)
    assert result.wasm, result.diagnostics
    return result.wasm


def _stdin(folder: str, name: str) -> bytes:
    path = GOLDEN / folder / f"{name}.in"
    return path.read_bytes() if path.exists() else b""


@pytest.mark.parametrize(("name", "level"), _levelled("run"))
def test_program_prints_its_golden_and_frees_everything(name, level, tmp_path, golden) -> None:
    """The output is the golden; a single object alive at the end would make the status 1."""
    outcome = run_wasm(_compile("run", name, level), tmp_path, _stdin("run", name))
    assert outcome.stderr == ""
    assert outcome.status == 0
    golden(GOLDEN / "run" / f"{name}.out", outcome.stdout)


@pytest.mark.parametrize(("name", "level"), _levelled("fail"))
def test_failing_program_says_what_and_where(name, level, tmp_path, golden) -> None:
    """The message names what went wrong, and the file and line; the status is 1."""
    outcome = run_wasm(_compile("fail", name, level), tmp_path, _stdin("fail", name))
    assert outcome.status == 1
    golden(GOLDEN / "fail" / f"{name}.out", outcome.stdout)
    golden(GOLDEN / "fail" / f"{name}.err", outcome.stderr)


def test_every_golden_has_a_program() -> None:
    """A golden that nobody reads is an error."""
    for folder in ("run", "fail"):
        programs = set(_names(folder))
        orphans = [p for p in (GOLDEN / folder).iterdir() if p.stem not in programs]
        assert not orphans
