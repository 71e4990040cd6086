"""Folders that names of sources are relative to, and how a path of the user becomes a name."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mochi_rules.base.span import Source


# The places of `tempfile`, which takes 5 ms to load.
_TEMPORARY_VARIABLES = ("TMPDIR", "TEMP", "TMP")
_TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp", "/dev/shm")  # noqa: S108 - nothing is written there


class Folder(NamedTuple):
    """A folder of the file system."""

    root: Path

    def read(self, name: str) -> Source | None:
        """Return the source of a name, or None where there is no such file.

        Emits: B010, B011.

        Raises:
            MochiError: The file cannot be read.
        """
        from mochi_rules.base.files import read_source  # noqa: PLC0415 - a warm run reads bytes

        path = self.root / name
        return read_source(path, name) if os.path.lexists(path) else None


def locate(path: Path, base: Path) -> tuple[Folder, str]:
    """Return the folder and the name of a file which a user named, whose paths start at `base`.

    Below `base`, names are relative to it, as in a build; elsewhere to the file's own folder. They
    are so too where `base` has the user's home below it, or temporary files: a name goes into the
    program, which must be the same wherever it is built.

    Emits: B013.

    Raises:
        MochiError: The path cannot be written in UTF-8.
    """
    inside = posixpath.normpath((base / path).as_posix())
    start = base.as_posix().rstrip("/") + "/"
    if inside.startswith(start) and not any(place.startswith(start) for place in _private()):
        folder, name = base, inside.removeprefix(start)
    else:
        folder, name = Path(posixpath.dirname(inside)), posixpath.basename(inside)
    check_name(name)
    return Folder(folder), name


def _private() -> tuple[str, ...]:
    """Return paths from which on a file's path says something of this machine or user only."""
    home = os.path.expanduser("~")  # noqa: PTH111 - pathlib's raises where there is no home
    given = (os.environ.get(name, "") for name in _TEMPORARY_VARIABLES)
    temporary = (os.path.join(place, "") for place in (*given, *_TEMPORARY) if place)  # noqa: PTH118
    return tuple(place.replace(os.sep, "/") for place in (home, *temporary))


def check_name(name: str) -> None:
    """Refuse a name that no message and no key can hold.

    Emits: B013.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        from mochi_rules.base.diagnostic import fail  # noqa: PLC0415 - of this error only

        shown = name.encode("utf-8", "backslashreplace").decode()
        raise fail("B013", f"the name of `{shown}` is not UTF-8", help="rename the file") from None
