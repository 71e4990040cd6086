"""Tests of the record of runtime functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mochi_rules.cache.directory import Layout, prepare
from mochi_rules.compiler.driver import (
    CompileRequest,
    compile_program,
    runtime_library,
    shared_library,
)
from mochi_rules.steps.engines.kept_runtime import KeptRuntime
from mochi_rules.steps.identity import Identities

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Let each test start as a process does, and leave nothing to others."""
    shared_library.cache_clear()
    yield
    shared_library.cache_clear()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty cache."""
    prepare(tmp_path / "cache")
    return tmp_path / "cache"


def run_process(root: Path) -> tuple[bytes, int]:
    """Compile as a process does; return the wasm, and how many runtime functions it made."""
    shared_library.cache_clear()
    kept = KeptRuntime(root, Identities(None))
    kept.restore(1)
    request = CompileRequest("m.mochi", {"m.mochi": 'print("a")\n'}, optimize=1)
    wasm = compile_program(request).wasm
    kept.keep()
    return wasm, len(runtime_library(check_leaks=False, level=1).built)


def record(root: Path) -> Path:
    """Return the one record."""
    (path,) = Layout(root).runs.iterdir()
    return path


def test_next_process_makes_nothing_again(root) -> None:
    """It takes what the first one kept, and its program is the same."""
    wasm, made = run_process(root)
    assert made > 0
    assert run_process(root) == (wasm, 0)


@pytest.mark.parametrize(
    "way", [lambda _: b"", lambda data: data[:-9] + b"x" * 9, lambda data: data[:99]]
)
def test_damaged_record_is_made_again(root, way) -> None:
    """An empty, a changed and a cut record cost what they saved, and nothing else."""
    wasm, made = run_process(root)
    path = record(root)
    path.chmod(0o644)
    path.write_bytes(way(path.read_bytes()))
    assert run_process(root) == (wasm, made)
    assert run_process(root) == (wasm, 0)


def test_nothing_is_written_where_there_is_no_cache(tmp_path) -> None:
    """A directory that is not a cache, or does not exist, is left alone."""
    run_process(tmp_path / "none")
    assert not (tmp_path / "none").exists()
