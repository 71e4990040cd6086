"""Tests of what git knows of a source."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.release.revision import check_clean, read_revision, release_time, uncommitted

from .samples import revision

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs("git")


def git(folder: Path, *words: str) -> None:
    """Run git in a folder."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@x.org")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository of one commit, with a workspace in a folder."""
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "a.mochi").write_text("print(1)\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "x")
    return tmp_path


def test_clean_work_tree_has_no_changes(repository: Path) -> None:
    """The workspace is a folder of the repository, on a branch."""
    found = read_revision(repository / "part")
    assert (found.changed, found.folder, found.branch) == ((), "part", "refs/heads/main")


def test_changed_and_new_files_are_changes_and_outputs_are_not(repository: Path) -> None:
    """A build writes into the workspace, too."""
    part = repository / "part"
    (part / "a.mochi").write_text("print(2)\n")
    (part / "new.mochi").write_text("")
    (part / "dist").mkdir()
    (part / "dist" / "x").write_text("")
    found = read_revision(part, ("dist",))
    assert {name.rpartition("/")[2] for name in found.changed} == {"a.mochi", "new.mochi"}
    with pytest.raises(MochiError, match="R002"):
        check_clean(found)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:token@x.org/a.git", "https://x.org/a.git"),
        ("ssh://git@x.org:2222/a.git", "ssh://x.org:2222/a.git"),
        ("git@x.org:me/a.git", "ssh://x.org/me/a.git"),
        ("/home/me/a", ""),
        ("file:///home/me/a", ""),
    ],
)
def test_address_shows_neither_secrets_nor_folders(
    address: str, shown: str, repository: Path
) -> None:
    """Provenance is published."""
    git(repository, "remote", "add", "origin", address)
    assert read_revision(repository).repository == shown


def test_staged_new_name_is_two_changes(repository: Path) -> None:
    """The new name and the old one, both whole."""
    git(repository, "mv", "part/a.mochi", "part/b.mochi")
    assert sorted(read_revision(repository / "part").changed) == ["a.mochi", "b.mochi"]


def test_file_that_git_does_not_tell_of_is_found(repository: Path) -> None:
    """It is ignored, or taken for unchanged: the commit does not have it as it is."""
    part = repository / "part"
    (part / ".gitignore").write_text("made.mochi\n")
    (part / "made.mochi").write_text("print(3)\n")
    (part / "b.mochi").write_text("print(2)\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "x")
    git(part, "update-index", "--assume-unchanged", "a.mochi")
    (part / "a.mochi").write_text("print(4)\n")
    state = read_revision(part)
    assert state.changed == ()
    found = uncommitted(part, state, ["made.mochi", "b.mochi", "a.mochi", "missing.mochi"])
    assert found == ["a.mochi", "made.mochi", "missing.mochi"]


def test_what_is_behind_links_is_not_looked_at(repository: Path) -> None:
    """The commit has the link."""
    (repository / "part" / "link.mochi").symlink_to("a.mochi")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "x")
    assert uncommitted(repository, read_revision(repository), ["part/link.mochi"]) == []


@pytest.mark.parametrize("kind", [(), ("-a", "-m", "x")])
def test_tag_that_is_checked_out_is_named(kind: tuple[str, ...], repository: Path) -> None:
    """Workflows of hosts check out the tag of a release, without a branch."""
    git(repository, "tag", *kind, "v1.4.0")
    git(repository, "checkout", "-q", "--detach", "v1.4.0")
    assert read_revision(repository).branch == "refs/tags/v1.4.0"


def test_time_is_that_of_the_commit_or_of_the_variable() -> None:
    """SOURCE_DATE_EPOCH is how other tools name the time, too."""
    assert release_time(revision(), {}) == 1_700_000_000
    assert release_time(revision(), {"SOURCE_DATE_EPOCH": "5"}) == 5
    for wrong in ("yesterday", "-5", "4294967296", 5000 * "9"):
        with pytest.raises(MochiError, match="R005"):
            release_time(revision(), {"SOURCE_DATE_EPOCH": wrong})
