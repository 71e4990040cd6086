"""Tests of asking `diffoscope`, by a script in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.release.repeat.diffoscope import diffoscope


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder on PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def install(folder: Path, script: str) -> None:
    """Let a script be `diffoscope`."""
    (folder / "diffoscope").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "diffoscope").chmod(0o755)


def test_its_report_is_shown(folder: Path) -> None:
    """It is given both files, and ends with 1 where they differ."""
    install(folder, 'for word; do last=$word; done; echo "--- $last"; exit 1')
    assert diffoscope(Path("old"), Path("new")) == ["diffoscope:", "  --- new"]


def test_long_report_is_cut(folder: Path) -> None:
    """Whoever needs all of it runs the command."""
    install(folder, "i=0; while [ $i -lt 100 ]; do echo $i; i=$((i + 1)); done")
    found = diffoscope(Path("old"), Path("new"))
    assert found[-2:] == ["  59", "  and 40 more lines"]


def test_what_would_steer_the_terminal_is_escaped(folder: Path) -> None:
    """It quotes from files that somebody else has made."""
    install(folder, r"printf 'a\033[2J\n'")
    assert diffoscope(Path("old"), Path("new")) == ["diffoscope:", r"  a\x1b[2J"]


def test_failure_of_it_is_no_failure_of_a_rebuild(folder: Path) -> None:
    """It is not a part of the comparison, which was made before."""
    install(folder, "echo error >&2; exit 2")
    assert diffoscope(Path("old"), Path("new")) == []


def test_nothing_is_said_where_it_is_not_installed(folder: Path) -> None:
    """Our own reader has said what differs."""
    assert diffoscope(folder, folder) == []
