"""Tests of the source of a release, as a repository of git has it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.release.revision import own_commit, read_revision
from mochi_rules.release.source import check_out

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs("git")


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; return what it prints."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@x.org")
    command = ["git", *identity, *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository of one commit, with a workspace in a folder."""
    root = tmp_path / "my repository"
    (root / "part").mkdir(parents=True)
    (root / "part" / "a.mochi").write_text("print(1)\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "x")
    return root


def test_commit_is_checked_out_from_any_folder(repository: Path, tmp_path: Path) -> None:
    """Whoever is in the workspace need not name the root of the repository."""
    commit = git(repository, "rev-parse", "HEAD").strip()
    check_out(repository / "part", commit, tmp_path / "clone")
    assert (tmp_path / "clone" / "part" / "a.mochi").read_text() == "print(1)\n"


def test_commit_of_no_branch_is_checked_out(repository: Path, tmp_path: Path) -> None:
    """A branch may have been rewritten since the release."""
    commit = git(repository, "rev-parse", "HEAD").strip()
    git(repository, "commit", "-q", "--amend", "-m", "y")
    check_out(repository, commit, tmp_path / "clone")
    assert git(tmp_path / "clone", "rev-parse", "HEAD").strip() == commit


def test_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    """It is not git that is missing."""
    with pytest.raises(MochiError, match=r"B010: cannot read `.*nowhere`: no such directory"):
        read_revision(tmp_path / "nowhere")


def test_repository_of_another_user_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that makes git read it."""
    script = "echo \"fatal: detected dubious ownership in repository at '/a b'\" >&2; exit 128"
    (tmp_path / "git").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "git").chmod(0o755)
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(MochiError, match="R003: git refuses `/a b`, which belongs to") as caught:
        read_revision(tmp_path)
    assert "safe.directory '/a b'" in caught.value.diagnostics[0].help
    assert own_commit(tmp_path / "package") == ""
