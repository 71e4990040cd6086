"""Fixtures of the remote cache's tests: a server, and caches of machines that share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mochi_rules.cache.tiers import TieredCache
from mochi_rules.remote.settings import remote_settings
from mochi_rules.steps.caches import open_cache

from .fake_server import FakeServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Machine = Callable[..., TieredCache]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Return a server that keeps to the protocol."""
    server = FakeServer()
    yield server
    server.stop()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Return a function that makes the cache of a new machine, for a server's URL and settings."""
    made: list[TieredCache] = []

    def make(url: str, environment: dict[str, str] | None = None, **table: object) -> TieredCache:
        settings = remote_settings({"remote": url}, environment or {}, table, tmp_path)
        cache = open_cache(tmp_path / f"machine {len(made)}", settings, lambda _: None)
        assert isinstance(cache, TieredCache)
        made.append(cache)
        return cache

    yield make
    for cache in made:
        cache.shared.finish()
