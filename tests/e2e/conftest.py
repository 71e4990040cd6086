"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .emulation import install_emulation
from .project import Project
from .tools import install_clif_worker

if TYPE_CHECKING:
    from pathlib import Path

    from .emulation import Emulation


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


@pytest.fixture(scope="session")
def native_tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of tools with the compiler of native programs."""
    data = tmp_path_factory.mktemp("data")
    install_clif_worker(data)
    return data


@pytest.fixture(scope="session")
def emulation(tmp_path_factory: pytest.TempPathFactory) -> Emulation:
    """Return aarch64-linux, which needs no Rust."""
    return install_emulation(tmp_path_factory.mktemp("emulation"))
