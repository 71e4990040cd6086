"""Where SCons keeps its signatures."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import SCons.SConsign

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.rules.hooks import keep_signatures

if TYPE_CHECKING:
    from pathlib import Path


def kept(
    root: Path, writable: list[Path], monkeypatch: pytest.MonkeyPatch, *, is_building: bool = True
) -> str | None:
    """Return where signatures are kept for a workspace in which some folders can be written."""
    monkeypatch.setattr(SCons.SConsign, "DB_Name", None)
    monkeypatch.setattr(os, "access", lambda path, _mode: path in writable)
    space: Any = SimpleNamespace(
        root=root,
        is_building=is_building,
        settings=SimpleNamespace(build="out"),
        guard=lambda action: action(),
    )
    keep_signatures(space)
    return SCons.SConsign.DB_Name


def test_signatures_of_a_workspace_are_in_its_root(tmp_path, monkeypatch) -> None:
    """As SCons has it."""
    assert kept(tmp_path, [tmp_path, tmp_path / "out"], monkeypatch) is None


def test_signatures_of_a_read_only_workspace_are_in_the_build_folder(tmp_path, monkeypatch) -> None:
    """The one folder that a build needs."""
    assert kept(tmp_path, [tmp_path / "out"], monkeypatch) == str(tmp_path / "out/.sconsign")


def test_build_in_a_read_only_workspace_is_refused(tmp_path, monkeypatch) -> None:
    """Where not even the build folder can be written; what builds nothing goes on."""
    with pytest.raises(MochiError, match="B014: cannot write `out`: the workspace is read-only"):
        kept(tmp_path, [], monkeypatch)
    assert kept(tmp_path, [], monkeypatch, is_building=False) is None
