"""The source of a release as a repository of git has it."""

from __future__ import annotations

import os
import re
from functools import partial
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.release.revision import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mochi_rules.release.provenance import Provenance

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def source_reader(root: Path) -> Callable[[Provenance, str], bytes | None]:
    """Return what reads a source by path, as a repository has it in the commit of a provenance.

    What differed from the commit is read from the work tree. The reader returns None for what is
    not there; it emits R003 and R026.
    """
    return partial(_read, root)


def check_commit(root: Path, provenance: Provenance) -> None:
    """Refuse a repository that does not have the commit of a release.

    Emits: R003 (git is not installed), R026.
    """
    commit, origin = provenance.commit, provenance.repository
    if (
        _COMMIT.fullmatch(commit)
        and git(root, "cat-file", "-e", f"{commit}^{{commit}}") is not None
    ):
        return
    raise fail(
        "R026",
        f"`{root}` does not have the commit {commit or 'of the release: it has none'}",
        notes=(f"the release was made from `{origin}`",) if origin else (),
        help="run `git fetch`, or name the repository with `--source`",
    )


def check_out(root: Path, commit: str, folder: Path) -> None:
    """Make a new clone of a repository in a folder, at a commit that need not be on a branch.

    `root` is any folder of the repository. The clone reads its objects, and writes none there.

    Emits: R003 (git is not installed, or refuses the repository), R026.
    """
    own = root / os.fsdecode(git(root, "rev-parse", "--git-common-dir") or b"").rstrip("\n")
    clone = ("clone", "--quiet", "--no-checkout", "--shared", str(own.absolute()), str(folder))
    is_there = git(root, *clone) is not None
    if not is_there or git(folder, "checkout", "--quiet", "--detach", commit) is None:
        message = f"cannot check out {commit} of `{root}`"
        raise fail("R026", message, help="run `git fetch`, or name the repository with `--source`")


def _read(root: Path, provenance: Provenance, path: str) -> bytes | None:
    if ".." in path.split("/") or path.startswith("/"):
        return None
    if not provenance.commit or path in provenance.changed:
        file = root / path
        return file.read_bytes() if file.is_file() else None
    prefix = f"{provenance.folder}/" if provenance.folder else ""
    blob = f"{provenance.commit}:{prefix}{path}"
    data = git(root, "cat-file", "blob", blob) if _COMMIT.fullmatch(provenance.commit) else None
    if data is None:
        check_commit(root, provenance)
    return data
