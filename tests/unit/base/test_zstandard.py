"""Zstandard where Python has it, and where it is missing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.zstandard import load_zstd

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    load_zstd.cache_clear()
    yield
    load_zstd.cache_clear()


def test_missing_package_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers go on without it, or name the package to install."""
    for name in ("compression", "compression.zstd", "backports", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    assert load_zstd() is None


def test_module_compresses() -> None:
    """What it compresses, it expands."""
    zstd = load_zstd()
    if zstd is None:
        pytest.skip("needs Python 3.14 or backports.zstd")
    assert zstd.decompress(zstd.compress(bytes(5000), 1)) == bytes(5000)
