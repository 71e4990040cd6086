"""The cache directory: which file lies where, and whether the directory may be used at all."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.files import reason
from mochi_rules.cache.entry import is_private, open_file, write_entry

if TYPE_CHECKING:
    from mochi_rules.base.diagnostic import MochiError
    from mochi_rules.base.digest import Digest

_MAJOR = 1
_TOP = f"v{_MAJOR}"
_FORMAT = f"mochi_rules cache {_MAJOR}"
_TAG = b"""\
Signature: 8a477f597d28d172789f06886806bc55
# This file marks a cache directory of mochi_rules; see https://bford.info/cachedir/
"""
USE_ANOTHER = "name another directory with `cache=DIR`, or build without one: `cache=off`"
_MODE = 0o644
_MAX_FORMAT = 4096  # bytes
MAX_RUN = 64 << 20  # bytes, of the record of a run
# What may be in a directory that becomes a cache: our own files after an interruption, and what
# a fresh file system brings.
_HARMLESS = (_TOP, "format", ".format.", "CACHEDIR.TAG", ".CACHEDIR.TAG.", "lost+found")


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below the root of a cache.

    `v1/cas/<2 hex>/<sha256>` holds blobs, `v1/ac/<2 hex>/<sha256 of the Action>` the bytes of
    ActionResults as a remote cache has them, behind a line that seals them: the digest of the
    Action's name and of these bytes. So a result that was cut off, changed, or put in the place
    of another is noticed, and each entry is one file, which appears and goes at once.
    """

    root: Path

    @property
    def blobs(self) -> Path:
        """The directory of blobs."""
        return self.root / _TOP / "cas"

    @property
    def results(self) -> Path:
        """The directory of action results."""
        return self.root / _TOP / "ac"

    @property
    def runs(self) -> Path:
        """The directory of records of runs and of runtime functions, sealed with their names."""
        return self.root / _TOP / "runs"

    @property
    def identities(self) -> Path:
        """What is remembered of the identities of tools."""
        return self.root / _TOP / "identities"

    @property
    def quarantine(self) -> Path:
        """The directory of damaged entries."""
        return self.root / _TOP / "quarantine"

    @property
    def locks(self) -> Path:
        """The directory of lock files."""
        return self.root / _TOP / "locks"

    @property
    def swept(self) -> Path:
        """A file that was written when entries were last evicted."""
        return self.root / _TOP / "swept"

    @property
    def statistics(self) -> Path:
        """The counters of all processes."""
        return self.root / _TOP / "statistics"

    @property
    def shared_statistics(self) -> Path:
        """The counters of what all processes did to a shared tier."""
        return self.root / _TOP / "statistics-remote"

    def blob(self, digest: Digest) -> Path:
        """Where a blob lies."""
        return self.root / f"{_TOP}/cas/{digest.hash[:2]}/{digest.hash}"

    def result(self, action: Digest) -> Path:
        """Where the result of an action lies."""
        return self.root / f"{_TOP}/ac/{action.hash[:2]}/{action.hash}"


def default_root() -> Path | None:
    """Return the cache directory of this user; None for a user without a home."""
    if sys.platform == "linux":
        # What platformdirs says here; it takes 7 ms to load.
        base = os.environ.get("XDG_CACHE_HOME", "").strip()
        # Not pathlib's, which raises where there is no home.
        root = Path(base or os.path.expanduser("~/.cache"), "mochi_rules")  # noqa: PTH111
    else:
        import platformdirs  # noqa: PLC0415 - not needed where the directory is named

        root = platformdirs.user_cache_path("mochi_rules")
    return root if root.is_absolute() else None


def examine(root: Path) -> bool:
    """Return whether a directory is a cache of this format; False where it can become one.

    Emits: K001 (unreadable, or not a directory), K002 (of other users), K003 (unknown format),
    K004 (holds other files).

    Raises:
        MochiError: The directory must not be used.
    """
    try:
        status = root.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise environment_error("K001", f"`{root}` is not a directory", help=USE_ANOTHER)
        _check_private(root, status)
        text = _read_format(root)
        if text is None:
            _check_empty(root)
            text = _read_format(root)  # another process may just have made it
    except FileNotFoundError:
        return False
    except OSError as error:
        raise unusable(root, error) from None
    if text is None:
        return False
    if text.split(".")[0].strip() != _FORMAT:
        raise environment_error(
            "K003", f"the cache `{root}` has a format that this version does not know",
            help=USE_ANOTHER, notes=(f"its file `format` contains `{text.strip()}`",),
        )  # fmt: skip
    return True


def prepare(root: Path) -> None:
    """Make a directory a cache; the format comes last, so that what has one is complete.

    Raises:
        OSError: The directory cannot be made or written.
    """
    write_entry(root / "CACHEDIR.TAG", _TAG, _MODE)
    write_entry(root / "format", f"{_FORMAT}\n".encode(), _MODE)


def unusable(root: Path, error: OSError) -> MochiError:
    """Report why the file system refuses a cache directory."""
    return environment_error(
        "K001", f"cannot use the cache `{root}`: {reason(error)}", help=USE_ANOTHER
    )


def foreign(folder: Path, root: Path) -> MochiError:
    """Report that a cache, or a folder in it, is in the hands of other users.

    Emits: K002.
    """
    owner = folder.stat().st_uid
    if owner not in (0, os.geteuid()):
        message = f"the cache `{folder}` belongs to another user (id {owner})"
        return environment_error("K002", message, help=USE_ANOTHER)
    message = f"other users can write the cache `{folder}`"
    help_ = f"if you trust what is in it, run `chmod -R go-w {root}`; or {USE_ANOTHER}"
    return environment_error("K002", message, help=help_)


def _check_private(root: Path, status: os.stat_result) -> None:
    """Refuse a cache that other users can write, in whole or in part."""
    # In a folder with the sticky bit, such as a file system in memory, nobody can replace `v1`.
    if not is_private(status, sticky=True):
        raise foreign(root, root)
    layout = Layout(root)
    for folder in (layout.blobs.parent, layout.blobs, layout.results, layout.runs):
        with suppress(FileNotFoundError):
            if not is_private(folder.stat()):
                raise foreign(folder, root)


def _read_format(root: Path) -> str | None:
    try:
        file, size = open_file(root / "format", _MAX_FORMAT)
        with file:
            return file.read(size).decode("utf-8", "replace")
    except FileNotFoundError:
        return None


def _check_empty(root: Path) -> None:
    # A CACHEDIR.TAG would take the user's other files out of their backups.
    others = [path.name for path in root.iterdir() if not path.name.startswith(_HARMLESS)]
    if others:
        raise environment_error(
            "K004", f"`{root}` is not a cache: it holds other files, such as `{min(others)}`",
            help="name a new directory with `cache=DIR`",
        )  # fmt: skip
