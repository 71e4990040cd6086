"""Tests of the names of sources: they go into programs, and say nothing of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.project.folder import locate

pytestmark = pytest.mark.usefixtures("_home")


@pytest.fixture
def _home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("USERPROFILE", "/home/ada")
    monkeypatch.setenv("TMPDIR", "/scratch")


@pytest.mark.parametrize(
    ("path", "base", "name"),
    [
        ("src/a.mochi", "/home/ada/project", "src/a.mochi"),
        ("project/a.mochi", "/home/ada", "project/a.mochi"),
        ("../other/a.mochi", "/home/ada/project", "a.mochi"),
        ("/srv/src/a.mochi", "/srv", "src/a.mochi"),
        ("/home/ada/project/a.mochi", "/", "a.mochi"),
        ("ada/project/a.mochi", "/home", "a.mochi"),
        ("tmpk3x9/src/a.mochi", "/tmp", "a.mochi"),
        ("/tmp/tmpk3x9/src/a.mochi", "/tmp/tmpk3x9", "src/a.mochi"),
        ("ada-4711/a.mochi", "/scratch", "a.mochi"),
        ("ada-4711/a.mochi", "/", "a.mochi"),
    ],
)
def test_name_of_a_source(path: str, base: str, name: str) -> None:
    """Relative to where the user is, unless that has homes or temporary folders below it."""
    folder, found = locate(Path(path), Path(base))
    assert found == name
    assert folder.root / found == Path("/", base, path).resolve()
