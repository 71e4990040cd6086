"""Builds the native programs once for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .building import NATIVE, Programs, Worker, cargo_build, launcher_target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def worker_path() -> Path:
    """Build the worker."""
    return cargo_build(NATIVE, "--release") / "release" / "aot-worker"


@pytest.fixture(scope="session")
def launcher() -> Path:
    """Build the launcher for this machine."""
    triple = launcher_target()
    target = cargo_build(NATIVE / "launcher", "--profile", "launcher", "--target", triple)
    return target / triple / "launcher" / "launcher"


@pytest.fixture
def worker(worker_path: Path) -> Iterator[Worker]:
    """Start a worker, which ends in peace."""
    worker = Worker(worker_path)
    yield worker
    assert worker.close() == 0


@pytest.fixture
def programs(launcher: Path, tmp_path: Path) -> Programs:
    """Make executables with the launcher of this machine."""
    return Programs(launcher, tmp_path)
