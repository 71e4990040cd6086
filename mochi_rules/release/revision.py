"""What git knows of the source: its commit, whether it was changed since, where it comes from."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import MochiError, environment_error, fail

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_MAX_LISTED = 8
_MAX_TIME = 2**32 - 1  # in the year 2106
_SCHEMES = ("https", "http", "ssh", "git")
_FOREIGN = re.compile("dubious ownership in repository at '(.*)'")  # what git says


@dataclass(frozen=True, slots=True)
class Revision:
    """A state of the source.

    `time` is that of the commit, in seconds since 1970. `changed` lists the files that differ
    from the commit. `branch` is what is checked out: a branch or, as in workflows, a tag. It and
    `repository` are empty where there is none; `folder` is that of the workspace in the repository.
    """

    commit: str
    time: int
    changed: tuple[str, ...]
    branch: str
    repository: str
    folder: str


def read_revision(root: Path, ours: Iterable[str] = ()) -> Revision:
    """Return the state of the repository that a folder is in.

    `ours` are patterns of files below the folder that a build writes: they do not count as changes.

    Emits: R003 (no commit, or git refuses the repository).
    """
    if not (found := _text(root, "rev-parse", "--verify", "HEAD")):
        raise fail(
            "R003",
            "the source is not in a commit of git",
            notes=("the provenance of a release names the commit of its source",),
            help='run `git init && git add . && git commit -m "First"`',
        )
    others = (f":(exclude){pattern}" for pattern in ours)
    changed = _text(
        root, "status", "--porcelain", "-z", "--untracked-files=normal", "--", ".", *others
    )
    return Revision(
        found,
        int(_text(root, "show", "-s", "--format=%ct", "HEAD")),
        tuple(entry[3:] for entry in changed.split("\0") if entry),
        _text(root, "symbolic-ref", "--quiet", "HEAD") or _tag(root),
        _public(_text(root, "config", "--get", "remote.origin.url")),
        _text(root, "rev-parse", "--show-prefix").strip("/"),
    )


def _tag(root: Path) -> str:
    """Return the first tag of the commit, as `refs/tags/NAME`."""
    words = ("--points-at=HEAD", "--count=1", "--format=%(refname)", "refs/tags")
    return _text(root, "for-each-ref", *words)


def own_commit(package: Path) -> str:
    """Return the commit of a package: that of its checkout, or the one that its wheel names.

    It is empty where neither is known.
    """
    named = package / "commit.txt"
    if named.is_file():
        return named.read_text("utf-8").partition(" ")[0]
    if not (package.parent / ".git").exists():
        return ""
    try:
        return _text(package, "rev-parse", "--verify", "HEAD")
    except MochiError:
        return ""


def check_clean(revision: Revision) -> None:
    """Refuse a source that differs from its commit.

    Emits: R002.
    """
    if not revision.changed:
        return
    shown = ", ".join(f"`{name}`" for name in revision.changed[:_MAX_LISTED])
    more = len(revision.changed) - _MAX_LISTED
    raise fail(
        "R002",
        "the work tree differs from its commit",
        notes=(shown + (f" and {more} more" if more > 0 else ""),),
        help="commit the changes, or write `allow_dirty=yes` to record them in the provenance",
    )


def release_time(revision: Revision | None, environment: Mapping[str, str]) -> int:
    """Return the time of all files: SOURCE_DATE_EPOCH, or that of the commit.

    Emits: R005 (SOURCE_DATE_EPOCH is not a number, or too large for some format of archives).
    """
    text = environment.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return revision.time if revision else 0
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_TIME))
    if is_number and int(text) <= _MAX_TIME:
        return int(text)
    message = f"SOURCE_DATE_EPOCH is `{text}`, which is not a number of seconds since 1970"
    raise fail("R005", message, help="run `export SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)`")


def git(root: Path, *words: str) -> bytes | None:
    """Return what git prints in a folder, or None where it fails.

    Emits: B010 (no such folder), R003 (git is not installed, or refuses the repository).
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ("git", *words),
            cwd=root,
            env=variables | {"LC_ALL": "C"},
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        if not root.is_dir():
            raise environment_error("B010", f"cannot read `{root}`: no such directory") from None
        help_ = "run `apt-get install git`, or install it from https://git-scm.com"
        raise environment_error("R003", "git is not installed", help=help_) from None
    if refused := _FOREIGN.search(done.stderr.decode("utf-8", "replace")):
        help_ = f"run `git config --global --add safe.directory {shlex.quote(refused[1])}`"
        message = f"git refuses `{refused[1]}`, which belongs to another user"
        raise environment_error("R003", message, help=help_)
    return done.stdout if done.returncode == 0 else None


def _text(root: Path, *words: str) -> str:
    return (git(root, *words) or b"").decode("utf-8", "replace").rstrip("\n")


def _public(address: str) -> str:
    """Return an address without names, passwords and folders of this machine."""
    if "://" not in address and "@" in address and ":" in address:  # as ssh writes it
        host, _, path = address.partition("@")[2].partition(":")
        return f"ssh://{host}/{path}"
    parts = urlsplit(address)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        return ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, parts.hostname + port, parts.path, "", ""))
