"""The runtime functions that earlier processes compiled, among the cache's records of runs.

A cold start would compile a hundred of them again, which takes longer than the program. What a
program becomes is the same with and without; a record that is damaged, or of another version of
this package or of Python, is made again.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.directory import MAX_RUN, Layout, examine
from mochi_rules.cache.entry import read_entry, seal, unseal, write_entry

if TYPE_CHECKING:
    from pathlib import Path

    from mochi_rules.steps.identity import Identities

_COMPILER = "mochi"  # the tool whose identity is that of the runtime functions, too


class KeptRuntime:
    """The records of a cache, one for each level of optimization."""

    def __init__(self, root: Path, identities: Identities) -> None:
        self._root = root
        self._identities = identities
        self._used: set[int] = set()

    def restore(self, level: int) -> None:
        """Let the compiler of this process use what is kept."""
        from mochi_rules.compiler.driver import restore_runtime  # noqa: PLC0415 - who compiles has it

        if level in self._used:
            return
        self._used.add(level)
        path = self._path(level)
        with suppress(OSError, MochiError):  # a record is optional
            if examine(self._root) and (content := unseal(path.name, read_entry(path, MAX_RUN))):
                restore_runtime(level, content)

    def keep(self) -> None:
        """Record what the compiler of this process made besides."""
        from mochi_rules.compiler.driver import keep_runtime  # noqa: PLC0415 - as above

        for level in sorted(self._used):
            content, path = keep_runtime(level), self._path(level)
            with suppress(OSError, MochiError):
                if content is not None and examine(self._root):
                    write_entry(path, seal(path.name, content))

    def _path(self, level: int) -> Path:
        words = ("runtime", self._identities.of(_COMPILER), sys.version, f"-O{level}")
        return Layout(self._root).runs / digest_bytes("\0".join(words).encode()).hash
