"""Which tests `pytest` chooses, and what it says of the others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
SETTINGS = "[pytest]\nmarkers =\n  slow:\n  needs:\naddopts = --strict-markers\npythonpath = .\n"
SAMPLES = """
import pytest
def test_quick(): pass
@pytest.mark.slow
def test_slow(): pass
@pytest.mark.needs("no-such-tool")
def test_tool(): raise AssertionError
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with our way to choose, and three tests."""
    (tmp_path / "tests").mkdir()
    for name in ("conftest.py", "needs.py"):
        shutil.copy(TESTS / name, tmp_path / "tests")
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    (tmp_path / "tests" / "test_samples.py").write_text(SAMPLES)
    return tmp_path


def choose(folder: Path, *words: str, **variables: str) -> str:
    """Run pytest in a folder and return what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | variables
    command = [sys.executable, "-m", "pytest", "-rs", *words]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.mark.parametrize("words", [(), ("-p", "no:xdist")], ids=["parallel", "one process"])
def test_slow_tests_are_left_out_and_counted(folder: Path, words: tuple[str, ...]) -> None:
    """One line says how many, and the command that runs them."""
    got = choose(folder, *words)
    assert "1 passed, 1 skipped" in got
    assert "left out 1 slow tests (native tools, other platforms, faults): `pytest --all`" in got


@pytest.mark.parametrize("words", ["--all", "-m slow or not slow", "tests/test_samples.py"])
def test_what_is_asked_for_is_not_left_out(folder: Path, words: str) -> None:
    """By the option, by a marker, or by the name of the file."""
    got = choose(folder, words)
    assert "2 passed, 1 skipped" in got
    assert "left out" not in got


def test_missing_tool_is_named(folder: Path) -> None:
    """It is the reason of the skip."""
    assert "no-such-tool is missing" in choose(folder)


def test_skip_fails_in_ci(folder: Path) -> None:
    """There, every tool is installed."""
    got = choose(folder, CI="1")
    assert "1 passed, 1 error" in got
    assert "skipped, but CI has all tools: no-such-tool is missing" in got
