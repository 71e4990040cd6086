"""A workspace as SCons sees it, without a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import SCons.Node.FS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="fs")
def _fs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SCons.Node.FS.FS:
    """Return the nodes of a workspace; beside it is a file that does not belong to it."""
    root = tmp_path / "workspace"
    (root / "app").mkdir(parents=True)
    (root / "app/main.mochi").write_text("print(1)\n")
    (root / "app/other.mochi").write_text("")
    (tmp_path / "outside.mochi").write_text("")
    monkeypatch.chdir(root)
    nodes = SCons.Node.FS.FS(str(root))
    monkeypatch.setattr(SCons.Node.FS, "default_fs", nodes)
    return nodes
