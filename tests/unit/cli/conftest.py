"""Fixtures of the command line's tests: a directory to work in, and a way to type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mochi_rules.cli import main as command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Typed:
    """The result of a command line."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache that all tests share: what one compiles, the others restore."""
    return tmp_path_factory.mktemp("cache") / "mochi_rules"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """Return the current directory, with a program."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "MOCHI_RULES_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "hello.mochi").write_text('print("hello")\n')
    return tmp_path


@pytest.fixture
def typed(here: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Typed]:
    """Return what runs a command line in this process."""

    def run(*words: str | Path) -> Typed:
        status = command.main([str(word) for word in words])
        out, err = capfd.readouterr()
        return Typed(status, out, err)

    return run
