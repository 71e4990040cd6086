"""The speed of programs, as the number of instructions that they execute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.counts import TOLERANCE, count_kernel, read_recorded
from bench.kernels import find_kernels
from tests.needs import need

from .tools import install_launcher

if TYPE_CHECKING:
    from pathlib import Path

    from bench.kernels import Kernel

pytestmark = pytest.mark.slow

KERNELS = find_kernels([])


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with the launcher of this machine."""
    need("valgrind")
    data = tmp_path_factory.mktemp("data")
    install_launcher(data, "x86_64-linux")
    return data


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_kernels_are_not_slower_than_recorded(
    kernel: Kernel, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No kernel executes more instructions than `python -m bench.counts --write` recorded."""
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    recorded = read_recorded()
    assert count_kernel(kernel, tmp_path) <= recorded[kernel.name] * TOLERANCE


def test_every_kernel_is_recorded() -> None:
    """A new kernel cannot be forgotten."""
    assert sorted(read_recorded()) == [kernel.name for kernel in KERNELS]
