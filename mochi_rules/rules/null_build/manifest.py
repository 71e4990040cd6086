"""Proof that nothing has changed since a build that found everything up to date.

Walking the graph is most of the time of a build that has nothing to do. So a successful build
leaves a manifest: its command line, its environment, and the result of `stat` for every file and
folder that it looked at. Where all of that is the same, the next build has nothing to do either,
and reports that without walking. At the slightest doubt there is no manifest, or it does not hold,
and SCons decides.

The manifest is one file of JSON for each command line, `build/.mochi/up-to-date-DIGEST`. It is
optional and safe to lose. Only the standard library is loaded to check it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What `stat` says of a file: kind and mode, inode, size, times of change in nanoseconds. Of a
# folder only the first two: files come and go in it that nobody looks at. A path that ends with a
# separator stands for the list of what is in a folder: a digest of the names.
Sign = list[int]

_PREFIX = "up-to-date-"
_KEPT = 8  # manifests of other command lines
# These say nothing about a build.
_VOLATILE = frozenset({"_", "SHLVL", "PWD", "OLDPWD", "COLUMNS", "LINES", "WINDOWID"})
# Options that do not change what a build makes; with any other, SCons decides.
_OPTIONS = re.compile(r"-[Qsku]+|-j ?\d*|-[fC].*|--silent|--quiet|--jobs=\d+|--(ui|color)=\w+")
DATABASE = ".sconsign"
_SECOND = 10**9  # nanoseconds


def command_line(arguments: list[str]) -> list[str] | None:
    """Return what identifies a command line, or None where SCons has to decide."""
    if os.environ.get("SCONSFLAGS"):
        return None
    takes_value = False
    for argument in arguments:
        if argument.startswith("-") and not takes_value and not _OPTIONS.fullmatch(argument):
            return None
        takes_value = argument in ("-j", "-f", "-C")
    return arguments


class Manifest:
    """The manifest of one command line; `folder` is where manifests lie."""

    def __init__(self, folder: str, arguments: list[str], identity: str) -> None:
        environment = sorted(item for item in os.environ.items() if item[0] not in _VOLATILE)
        described = [arguments, os.getcwd(), environment, sys.version, sys.path, identity]
        digest = hashlib.sha256(json.dumps(described).encode()).hexdigest()
        self.path = Path(folder, f"{_PREFIX}{digest[:16]}")
        self._key = digest

    def read(self) -> dict[str, Any] | None:
        """Return the last lines that the build printed, or None if the manifest does not hold."""
        try:
            document = json.loads(self.path.read_bytes())
            if document["key"] != self._key:
                return None
            for path, sign in document["paths"].items():
                if sign_of(path) != sign:
                    return None
            shown: dict[str, Any] = document["shown"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return shown

    def write(self, paths: Mapping[str, Sign | None], shown: dict[str, Any]) -> None:
        """Write the manifest of a build that ended; a disk that is full only costs time."""
        from mochi_rules.base.files import write_atomic  # noqa: PLC0415 - read needs it not

        document = {"key": self._key, "paths": dict(paths), "shown": shown}
        with suppress(OSError):
            write_atomic(self.path, json.dumps(document, separators=(",", ":")).encode())
            found = sorted(
                self.path.parent.glob(f"{_PREFIX}*"), key=lambda path: path.stat().st_mtime
            )
            for old in found[:-_KEPT]:
                old.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the manifest: it may no longer hold."""
        with suppress(OSError):
            self.path.unlink()


def sign_of(path: str, look: Callable[..., os.stat_result] = os.stat) -> Sign | None:
    """Return what identifies the state of a file or folder, or None where there is none."""
    try:
        if path.endswith(os.sep):
            return [_digest_names(os.listdir(path))]
        status = look(path)
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(status.st_mode):
        return [status.st_mode, status.st_ino]
    return [status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _digest_names(names: list[str]) -> int:
    """Return 64 bits that stand for the names in a folder, but for SCons' own database."""
    text = "\0".join(sorted(name for name in names if not name.startswith(DATABASE)))
    return int.from_bytes(hashlib.sha256(os.fsencode(text)).digest()[:8])


def is_settled(sign: Sign, before: int) -> bool:
    """Return whether a file changed for the last time before a moment, in nanoseconds.

    Times of a file system that counts whole seconds are taken for a second later.
    """
    changed = max(sign[3], sign[4])
    return changed + (2 * _SECOND if changed % _SECOND == 0 else 0) < before
