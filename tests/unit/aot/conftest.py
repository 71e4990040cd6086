"""What the tests of ahead-of-time compilation share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.aot.client import AotWorker
from mochi_rules.aot.wheel import worker_command
from mochi_rules.platforms.platform import host_platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.platforms.platform import Platform


@pytest.fixture(scope="session")
def worker() -> Iterator[AotWorker]:
    """A worker of the wheel, for all tests."""
    with AotWorker(worker_command(), 60) as running:
        yield running


@pytest.fixture(scope="session")
def host() -> Platform:
    """The platform of this machine, the one the wheel compiles for."""
    return host_platform()


@pytest.fixture(scope="session")
def wasm() -> Callable[[str], bytes]:
    """Translate WebAssembly text to a binary."""
    return lambda text: bytes(wasmtime.wat2wasm(text))
