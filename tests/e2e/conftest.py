"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .project import Project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return an empty project with an empty cache."""
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, tmp_path / "cache")


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache for tests in which it does not matter what is in it."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def quick(tmp_path: Path, shared_cache: Path) -> Project:
    """Return an empty project with a cache that other tests have filled."""
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, shared_cache)
