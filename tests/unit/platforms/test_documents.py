"""The files that no table of Python reaches speak of every platform."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mochi_rules.platforms.platform import PLATFORMS, ZIG

ROOT = Path(__file__).parents[3]
LAUNCHERS = [target for row in PLATFORMS for target in row.launchers]
# Rust finds these linkers by itself.
LINKED_BY_RUST = {"x86_64-pc-windows-gnu"}


@pytest.mark.parametrize("path", ["docs/guide.md", "toolchains/native/README.md"])
def test_every_platform_is_documented(path):
    """The guide and the page on native tools name each platform."""
    text = (ROOT / path).read_text("utf-8")
    assert [row.name for row in PLATFORMS if row.name not in text] == []


def test_every_launcher_is_documented():
    """The page on native tools has each target, and the linker that it takes."""
    text = (ROOT / "toolchains/native/README.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for target in LAUNCHERS:
        linker = "Zig" if target.linker == ZIG else f"`{target.linker.program}`"
        assert any(f"`{target.triple}`" in row and linker in row for row in rows), target


def test_cargo_links_every_launcher():
    """The configuration of cargo has a linker or flags for each target that needs them."""
    path = ROOT / "toolchains/native/launcher/.cargo/config.toml"
    configured = tomllib.loads(path.read_text("utf-8"))["target"]
    assert {target.triple for target in LAUNCHERS} == configured.keys() | LINKED_BY_RUST
