"""Options that every test may use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--bless`, which rewrites golden files with what was produced."""
    parser.addoption("--bless", action="store_true", help="rewrite the golden files")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse `--bless` in CI: a golden is blessed by a person who reads the difference."""
    if config.getoption("--bless") and os.environ.get("CI"):
        raise pytest.UsageError("--bless is not for CI")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compare a text with a golden file, or rewrite the file under `--bless`."""

    def check(path: Path, got: str) -> None:
        if request.config.getoption("--bless"):
            path.write_text(got, encoding="utf-8")
            return
        assert path.exists(), f"no golden file {path}; review and run with --bless"
        assert got == path.read_text(encoding="utf-8")

    return check
