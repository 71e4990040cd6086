"""What git knows of the source: its commit, whether it was changed since, where it comes from."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import shlex
import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import MochiError, environment_error, fail

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_MAX_LISTED = 8
_MAX_TIME = 2**32 - 1  # in the year 2106
_ELSEWHERE = ("120000", "160000")  # modes of links and submodules
_SHA1_DIGITS = 40
_SCHEMES = ("https", "http", "ssh", "git")
_FOREIGN = re.compile("dubious ownership in repository at '(.*)'")  # what git says


@dataclass(frozen=True, slots=True)
class Revision:
    """A state of the source.

    `time` is that of the commit, in seconds since 1970. `changed` lists the files of the workspace
    that differ from the commit. `branch` is what is checked out: a branch or, as in workflows, a
    tag. It and `repository` are empty where there is none; `folder` is that of the workspace in the
    repository.
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
    options = ("--porcelain", "-z", "--no-renames", "--untracked-files=normal")
    changed = _text(root, "status", *options, "--", ".", *others)
    folder = _text(root, "rev-parse", "--show-prefix")
    return Revision(
        found,
        int(_text(root, "show", "-s", "--format=%ct", "HEAD")),
        tuple(entry[3:].removeprefix(folder) for entry in changed.split("\0") if entry),
        _text(root, "symbolic-ref", "--quiet", "HEAD") or _tag(root),
        _public(_text(root, "config", "--get", "remote.origin.url")),
        folder.rstrip("/"),
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
    if revision.changed:
        help_ = "commit the changes, or write `allow_dirty=yes` to record them in the provenance"
        raise _unclean("the work tree differs from its commit", revision.changed, help_)


def check_committed(names: Sequence[str]) -> None:
    """Refuse what a release is made of and its commit does not have.

    Emits: R002.
    """
    if names:
        help_ = (
            "run `git add --force` with them and commit, or write `allow_dirty=yes` to record them"
        )
        raise _unclean("the commit does not have all that the release is made of", names, help_)


def _unclean(message: str, names: Sequence[str], help_: str) -> MochiError:
    shown = ", ".join(f"`{name}`" for name in names[:_MAX_LISTED])
    more = len(names) - _MAX_LISTED
    notes = (shown + (f" and {more} more" if more > 0 else ""),)
    return fail("R002", message, notes=notes, help=help_)


def uncommitted(root: Path, revision: Revision, paths: Iterable[str]) -> list[str]:
    """Return those of some files of the workspace that the commit does not have as they are.

    Git does not tell of files that it was told to ignore, or to take for unchanged. What is behind
    links and in submodules is not looked at.
    """
    listed = git(root, "ls-tree", "-r", "-z", "--full-tree", revision.commit) or b""
    entries: dict[str, tuple[str, str]] = {}
    for entry in filter(None, listed.decode("utf-8", "surrogateescape").split("\0")):
        words, _, path = entry.partition("\t")
        mode, _, name = words.split()
        entries[path] = mode, name
    return [path for path in sorted(paths) if not _has(entries, root, revision.folder, path)]


def _has(entries: Mapping[str, tuple[str, str]], root: Path, folder: str, path: str) -> bool:
    whole = posixpath.normpath(posixpath.join(folder, path))
    above = [str(item) for item in PurePosixPath(whole).parents]
    mode, name = next((entries[item] for item in (whole, *above) if item in entries), ("", ""))
    if mode in _ELSEWHERE:
        return True
    if not name or not (root / path).is_file():  # a repository of SCons may supply it
        return False
    data = (root / path).read_bytes()
    make = hashlib.sha1 if len(name) == _SHA1_DIGITS else hashlib.sha256
    return make(b"blob %d\0" % len(data) + data).hexdigest() == name


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
