"""Tests of runtime functions that are kept between processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.compiler.driver import (
    CompileRequest,
    compile_program,
    keep_runtime,
    restore_runtime,
    runtime_library,
    shared_library,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "run"


@pytest.fixture(autouse=True)
def forget():
    """Let each test start as a process does, and leave nothing to others."""
    shared_library.cache_clear()
    yield
    shared_library.cache_clear()


def compiled(name: str, level: int = 1) -> bytes:
    """Return the wasm of a golden program."""
    text = (GOLDEN / f"{name}.mochi").read_text(encoding="utf-8")
    return compile_program(CompileRequest("m.mochi", {"m.mochi": text}, optimize=level)).wasm


@pytest.mark.parametrize("name", ["functions", "maps", "print_format", "queries", "unions"])
def test_program_is_the_same_with_kept_functions(name) -> None:
    """And none of them is made again."""
    wasm, kept = compiled(name), keep_runtime(1)
    shared_library.cache_clear()
    restore_runtime(1, kept)
    assert compiled(name) == wasm
    assert not runtime_library(check_leaks=False, level=1).built


def test_what_is_not_kept_is_made() -> None:
    """A program that needs more functions is the same, too, and these are kept besides."""
    wasm = compiled("maps")
    shared_library.cache_clear()
    compiled("arithmetic")
    kept = keep_runtime(1)
    shared_library.cache_clear()
    restore_runtime(1, kept)
    assert compiled("maps") == wasm
    more = keep_runtime(1)
    shared_library.cache_clear()
    restore_runtime(1, more)
    assert compiled("arithmetic")
    assert compiled("maps") == wasm
    assert keep_runtime(1) is None
