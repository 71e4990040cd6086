"""Builds the native programs once for all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .building import (
    Programs,
    Worker,
    build_aot_worker,
    build_clif_worker,
    build_launcher,
    cc_build,
    launcher_target,
    wheel_library,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def worker_path() -> Path:
    """Build the worker."""
    return build_aot_worker()


@pytest.fixture(scope="session")
def clif_worker() -> Path:
    """Build the worker of the native backend."""
    return build_clif_worker()


@pytest.fixture(scope="session")
def launcher() -> Path:
    """Build the launcher for this machine."""
    return build_launcher(launcher_target())


@pytest.fixture
def worker(worker_path: Path) -> Iterator[Worker]:
    """Start a worker, which ends in peace."""
    worker = Worker(worker_path)
    yield worker
    assert worker.close() == 0


@pytest.fixture(scope="session")
def bundle_launcher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the C launcher, with the wheel's library beside it."""
    directory = tmp_path_factory.mktemp("bundle")
    (directory / "libwasmtime.so").symlink_to(wheel_library())
    return cc_build("gcc", directory)


@pytest.fixture
def programs(request: pytest.FixtureRequest, tmp_path: Path) -> Programs:
    """Make executables with the Rust launcher, or with that of the indirect parameter."""
    launcher: Path = request.getfixturevalue(getattr(request, "param", "launcher"))
    library = launcher.parent / "libwasmtime.so"
    if library.exists():
        (tmp_path / library.name).symlink_to(library.resolve())
    return Programs(launcher, tmp_path)
