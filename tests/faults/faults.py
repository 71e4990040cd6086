"""Damaged caches and build trees, and a file system that refuses: right bytes, or a diagnostic.

Builds by the command line run in this process; some by SCons in one of their own.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mochi_rules.aot.client import AotWorker
from mochi_rules.steps.engines import engines
from tests.e2e.project import Project
from tests.faults.building import EMITS, FILES, build_all, build_file, difference, make_project
from tests.faults.harness import Wrong

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

ERRORS = (errno.EIO, errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EMFILE, errno.ESTALE)
# What an audit hook sees before the file system does.
EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.listdir", "os.scandir", "os.utime",
          "os.chmod", "os.truncate", "os.link", "os.symlink")  # fmt: skip
WAYS = ("removed", "cut", "flipped", "empty", "grown", "swapped", "zeros")
ODD_WAYS = (*WAYS, "folder", "link")  # of a cache; an output that is one is the user's
SCONS = 0.01  # the share of cases with SCons, which take a hundred times as long
ALONE = 0.1  # the share of cases whose builds start compilers of their own


class Refusals:
    """Lets a call into a folder fail: one, or all from one on. A hook stays for ever."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._left, self._error, self._goes_on = -1, 0, False
        sys.addaudithook(self._hook)

    @contextmanager
    def arranged(self, chance: random.Random) -> Iterator[None]:
        """Refuse at random, and let files not grow beyond a random size."""
        self._error, self._goes_on = chance.choice(ERRORS), chance.random() < 0.5
        self._left = chance.randrange(60)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        if chance.random() < 0.3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (chance.randrange(1, 20_000), hard))
        try:
            yield
        finally:
            self._left = -1
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._left < 0 or event not in EVENTS or not str(arguments[0]).startswith(self._folder):
            return
        if event == "os.remove" and os.path.basename(str(arguments[0])).startswith("."):  # noqa: PTH119
            return  # a draft that cannot be removed either is left behind by anybody
        if self._left:
            self._left -= 1
            return
        if not self._goes_on:
            self._left = -1
        raise OSError(self._error, os.strerror(self._error), str(arguments[0]))


def damage(
    folder: Path,
    chance: random.Random,
    count: int,
    ways: Sequence[str] = ODD_WAYS,
    spared: Collection[str] = (),
) -> list[str]:
    """Damage files below a folder as disks, people and other programs do; return how.

    `spared` are ends of paths of what is left alone.
    """
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not str(path).endswith((*spared, "SConstruct"))
    )
    chosen = chance.sample(files, min(count, len(files)))
    return [
        f"{_damage(path, chance.choice(ways), files, chance)}: {path.relative_to(folder)}"
        for path in chosen
    ]


def _damage(path: Path, way: str, files: Sequence[Path], chance: random.Random) -> str:
    """Damage a file in a way, which is returned; `files` has others that could be in its place."""
    data = path.read_bytes()
    at = chance.randrange(len(data)) if data else 0
    path.unlink()
    if way == "folder":
        path.mkdir()
    elif way == "link":
        path.symlink_to(chance.choice(("nowhere", path.name, "/dev/null")))
    elif way != "removed":
        bit = bytes([data[at] ^ 1 << chance.randrange(8)]) if data else b""
        path.write_bytes({
            "cut": data[:at],
            "empty": b"",
            "flipped": data[:at] + bit + data[at + 1 :],
            "grown": data + chance.randbytes(chance.randrange(1, 100)),
            "swapped": _other(path, files, data),
            "zeros": data[:at] + bytes(len(data) - at),
        }[way])  # fmt: skip
    return way


def _other(path: Path, files: Sequence[Path], data: bytes) -> bytes:
    others = (other for other in files[::-1] if other != path and other.is_file())
    return next((other.read_bytes() for other in others), data)


class Kept(AotWorker):
    """A worker that the builds of many cases share: to start one takes longer than a build."""

    def close(self) -> None:
        """Leave it running: it ends with this process."""


class Workers:
    """Gives builds the compiler that they share, or one of their own."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], Kept] = {}
        self.is_shared = True
        engines.AotWorker = self._make  # type: ignore[assignment,misc]

    def _make(self, command: tuple[str, ...]) -> AotWorker:
        return (
            self._kept.setdefault(command, Kept(command)) if self.is_shared else AotWorker(command)
        )


class Cases:
    """A sound cache and a built project, to be copied and damaged."""

    def __init__(self, folder: Path) -> None:
        self._case, self._pristine = folder / "case", folder / "pristine"
        self._refusals, self._workers = Refusals(self._case), Workers()
        self._sources = make_project(folder / "sources", folder / "none").root / "app"
        self._keys = [(name, emit) for name in ("a", "b", "c") for emit in EMITS]
        self._files = {key: self._build(key, self._pristine / "cache")[1] for key in self._keys}
        root = self._case / "scons"
        self._outputs = build_all(make_project(root / "project", root / "cache"))
        shutil.move(root, self._pristine)

    def by_command(self, chance: random.Random) -> str:
        """Build one file, under errors or not, and once more without."""
        cache = self._copy("cache")
        self._workers.is_shared = chance.random() >= ALONE
        damages = damage(cache, chance, chance.choice((0, 1, 1, 2, 5, 20)))
        key = chance.choice(self._keys)
        end = "built"
        if chance.random() < 0.5:
            status, data = self._build(key, cache, self._refusals.arranged(chance))
            if data != (None if status else self._files[key]):
                raise Wrong(f"{key} under errors: status {status}, and not its bytes; {damages}")
            end = f"status-{status}"
        status, data = self._build(key, cache)
        if status or data != self._files[key]:
            raise Wrong(f"{key}: status {status}, and not its bytes; {damages}")
        return end

    def by_scons(self, chance: random.Random) -> str:
        """Build everything again over a damaged cache, and what SCons and we note of a build."""
        root = self._copy("scons")
        project = Project(root / "project", root / "cache")
        if chance.random() < 0.5:
            shutil.rmtree(project.root / "build")
        for path in chance.choice(([root / "cache"], [project.root], [root])):
            damages = damage(path, chance, chance.choice((1, 2, 5)), WAYS, FILES)
        if names := difference(build_all(project), self._outputs):
            raise Wrong(f"scons: other bytes: {names}; {damages}")
        return "scons"

    def _copy(self, name: str) -> Path:
        shutil.rmtree(self._case, ignore_errors=True)
        shutil.copytree(self._pristine / name, self._case / name, symlinks=True)
        return self._case / name

    def _build(
        self, key: tuple[str, str], cache: Path, under: AbstractContextManager[None] | None = None
    ) -> tuple[int, bytes | None]:
        return build_file(self._sources / f"{key[0]}.mochi", key[1], cache, under)


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what does something bad to a cache, and builds with it."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that is too large is an error
    cases = Cases(folder)
    return lambda chance: (cases.by_scons if chance.random() < SCONS else cases.by_command)(chance)
