"""Tests of what a rebuild refuses of a provenance before anything is built."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.release.assemble import assemble
from mochi_rules.release.circumstances import package_versions
from mochi_rules.release.repeat.rebuild import _compare, rebuild
from mochi_rules.release.verify import read_provenance

from .samples import PROVENANCE, files, release, revision

if TYPE_CHECKING:
    from pathlib import Path

    from mochi_rules.release.revision import Revision


def provenance(state: Revision, **product: str) -> bytes:
    """Return the provenance of a release of a state, by the tools of this process."""
    sample = release()
    under = replace(sample.under, revision=state, tools=package_versions())
    made = files(product=replace(sample.product, **product), under=under)
    return next(data for name, data in made.items() if name.endswith(".jsonl"))


def test_provenance_of_several_releases_is_refused(tmp_path: Path) -> None:
    """They are not built by one command."""
    both = provenance(revision()) + provenance(revision(), version="1.3.0")
    (tmp_path / PROVENANCE).write_bytes(both)
    with pytest.raises(MochiError, match=r"R010: .* describes `app` 1\.2\.0 and `app` 1\.3\.0"):
        rebuild(tmp_path / PROVENANCE, tmp_path)


@pytest.mark.needs("git")
@pytest.mark.parametrize("folder", ["..", "/", "missing"])
def test_folder_outside_of_the_commit_is_refused(folder: str, tmp_path: Path) -> None:
    """A statement cannot have another SConstruct run than one of its commit."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@x.org")
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True)
    command = ("git", "rev-parse", "HEAD")
    commit = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    state = replace(revision(), commit=commit.stdout.strip(), folder=folder)
    (tmp_path / PROVENANCE).write_bytes(provenance(state))
    with pytest.raises(MochiError, match=f"R010: .* its commit has no folder `{folder}`"):
        rebuild(tmp_path / PROVENANCE, tmp_path)


def test_archive_that_is_not_made_again_is_named(tmp_path: Path) -> None:
    """Nobody should look for a library that compresses otherwise."""
    made = (assemble(release(*formats), None) for formats in (("tar.gz", "zip"), ("tar.gz",)))
    old, new = (read_provenance(PROVENANCE, each[PROVENANCE])[0][1] for each in made)
    one, two = _compare(tmp_path, tmp_path, old, new)
    assert one.differences == ()
    assert (two.name, two.differences) == ("app-1.2.0-x86_64-linux.zip", ("it was not made",))
