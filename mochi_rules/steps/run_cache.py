"""Runs that were done before, by what they read: the way past the pipeline for a warm run.

Three lookups in the cache take little, but the modules that make their keys take 40 ms to load.
A record here says: with these words on the command line, this mochi_rules, and these sources, the
pipeline ended with this artifact. It is used for an hour; then the pipeline runs again, which
keeps the cache's entries from being evicted, and the record is written anew. The artifact itself
is read from the cache, and verified.
"""

from __future__ import annotations

import ast
import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.cache.directory import MAX_RUN, Layout, examine
from mochi_rules.cache.entry import read_entry, seal, unseal, write_entry
from mochi_rules.steps.identity import signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_SECONDS = 3600
_MAX_RECORDS = 512
_HEAD = 3  # lines: the artifact, the engine, the section `mochi.lines`


class Recalled(NamedTuple):
    """The result of a run: the artifact, what `canonical` says of its configuration, its lines.

    `lines` is the section `mochi.lines`, or empty.
    """

    artifact: bytes
    engine: Mapping[str, Any]
    lines: bytes = b""


class Shortcut:
    """The record of one request; `root` None is a cache that is off.

    `words` are all that decides besides the sources, whose names start in `folder`.
    """

    def __init__(self, root: Path | None, words: Iterable[str], folder: Path) -> None:
        ours = signature()
        self._root, self._folder = root if ours else None, folder
        text = "\0".join((*words, str(folder), _machine(), ours or ""))
        self._name = digest_bytes(text.encode("utf-8", "surrogateescape")).hash

    def find(self) -> Recalled | None:
        """Return the result of the request, if all of its inputs are unchanged.

        Emits: K001 to K004.

        Raises:
            MochiError: The cache must not be used.
        """
        if self._root is None:
            return None
        try:
            if time.time() - self._path.stat().st_mtime > _SECONDS or not examine(self._root):
                return None
            content = unseal(self._name, read_entry(self._path, MAX_RUN))
            lines = (content or b"").decode().splitlines()
            if not self._is_current(lines):
                return None
            name, size = lines[0].split()
            digest = Digest(name, int(size))
            engine = ast.literal_eval(lines[1])
            places = bytes.fromhex(lines[2])
            data = read_entry(Layout(self._root).blob(digest), digest.size)
        except (OSError, ValueError, IndexError, SyntaxError):
            return None
        return Recalled(data, engine, places) if digest_bytes(data) == digest else None

    def keep(self, sources: Mapping[str, bytes], found: Recalled) -> None:
        """Record the result of the request; `sources` are those read, by name."""
        if self._root is None:
            return
        digest = digest_bytes(found.artifact)
        lines = [f"{digest.hash} {digest.size}", repr(dict(found.engine)), found.lines.hex()]
        lines += [f"{digest_bytes(data).hash} {name}" for name, data in sources.items()]
        if any("\n" in line for line in lines):
            return
        with suppress(OSError):  # a record is optional
            self._shorten(self._path.parent)
            write_entry(self._path, seal(self._name, ("\n".join(lines) + "\n").encode()))

    @property
    def _path(self) -> Path:
        assert self._root is not None
        return Layout(self._root).runs / self._name

    def _is_current(self, lines: list[str]) -> bool:
        """Return whether every source of a record still has the content that it had."""
        for line in lines[_HEAD:]:
            digest, _, name = line.partition(" ")
            if digest_bytes((self._folder / name).read_bytes()).hash != digest:
                return False
        return True

    def _shorten(self, folder: Path) -> None:
        """Remove all records when there are many: each is made again by the next run."""
        names = os.listdir(folder) if folder.exists() else []  # noqa: PTH208 - names are counted
        if len(names) >= _MAX_RECORDS:
            for name in names:
                (folder / name).unlink(missing_ok=True)


def _machine() -> str:
    """Return what differs between machines that share a home directory."""
    system = os.uname() if hasattr(os, "uname") else None  # absent on Windows
    names = (system.sysname, system.machine) if system else (sys.platform,)
    return " ".join((*names, sys.version))
