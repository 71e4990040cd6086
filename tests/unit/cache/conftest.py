"""Fixtures of the cache's tests: a root, a cache and other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mochi_rules.cache.cache import Cache
from mochi_rules.cache.statistics import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).parents[3]
PRELUDE = """
import os, signal, sys, time
from pathlib import Path
from cache.samples import OUTPUTS, make_action
from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.cache import Cache
from mochi_rules.cache.limits import Limits
from mochi_rules.cache.statistics import Recorder
root = Path(sys.argv[1])
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return where a cache can be made."""
    return tmp_path / "cache"


@pytest.fixture
def cache(root: Path) -> Cache:
    """Return a cache that is not there yet."""
    return Cache(root)


@pytest.fixture
def recorder() -> Recorder:
    """Return what the stores of a test count and warn with."""
    return Recorder()


@pytest.fixture
def start(root: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a Python process with a code after PRELUDE; `root` is its first argument."""
    started: list[subprocess.Popen[str]] = []

    def start(
        code: str, *arguments: object, prefix: tuple[str, ...] = (), **environment: str
    ) -> subprocess.Popen[str]:
        path = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "tests" / "unit"), *sys.path))
        process = subprocess.Popen(
            [*prefix, sys.executable, "-c", PRELUDE + code, str(root), *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": path, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def finish() -> Callable[[subprocess.Popen[str]], str]:
    """Wait for a process that must succeed and return what it printed."""

    def finish(process: subprocess.Popen[str]) -> str:
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        return output

    return finish
