"""Identities of tools: what stands for them in a key.

Our own tools are identified by the digest of their source files, and Wasmtime by its version.
Finding out takes 10 ms and more, so it is kept in a small file, by a signature of what `stat`
says of the same files: a warm start reads nothing but directories.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A tool of ours: the packages that decide what it makes.
SOURCES: dict[str, tuple[str, ...]] = {
    "mochi": ("compiler", "wasm"),
    "elf": ("elf", "wasm"),
    "object": ("aot/objects", "elf"),
    "executable": ("aot/executable", "elf"),
}
WASMTIME, RUST = "wasmtime", "rust"
TOOLS = (*SOURCES, WASMTIME)

_PACKAGE = Path(__file__).resolve().parents[1]
_SUFFIXES = (".py", ".mochi", ".wat")
_DIGITS = 16  # hexadecimal, of a digest of sources
_REMEMBERED = 32  # lines: several checkouts share a memo


def signature() -> str:
    """Return what changes whenever any file of ours, or any installed package, does."""
    return f"{_stat([_PACKAGE])} {_stat_wasmtime()}"


class Identities:
    """The identities of TOOLS and of Rust, each found out once.

    `memo` is a file that remembers them between processes; without one, or where it cannot be
    written, they are found out again.
    """

    def __init__(self, memo: Path | None) -> None:
        self._memo = memo
        self._known: dict[str, str] = {}
        self._remembered: dict[str, str] | None = None

    def of(self, tool: str) -> str:
        """Return the identity of a tool, such as `0.1.0 91cc0d…` or `48.0.0`."""
        if tool not in self._known:
            self._known[tool] = self._find(tool)
        return self._known[tool]

    def _find(self, tool: str) -> str:
        if tool == WASMTIME:
            return self._recall(tool, _stat_wasmtime, _wasmtime_version)
        if tool == RUST:
            from mochi_rules.aot.native_tools import rust_version  # noqa: PLC0415 - rare

            return rust_version()
        folders = [_PACKAGE / name for name in SOURCES[tool]]
        return self._recall(tool, lambda: _stat(folders), lambda: _digest(folders))

    def _recall(self, tool: str, stat: Callable[[], str], find: Callable[[], str]) -> str:
        signature = stat()
        if self._remembered is None:
            self._remembered = _read_memo(self._memo)
        found = self._remembered.get(f"{tool} {signature}")
        if found is None:
            found = find()
            self._remembered[f"{tool} {signature}"] = found
            self._write()
        return found

    def _write(self) -> None:
        if self._memo is None or not self._remembered:
            return
        from mochi_rules.base.files import write_atomic  # noqa: PLC0415 - the first time only

        newest = list(self._remembered.items())[-_REMEMBERED:]
        text = "".join(f"{key}\t{value}\n" for key, value in newest)
        with suppress(OSError):  # a memo is a comfort
            write_atomic(self._memo, text.encode())


def _read_memo(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return {}
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def _files(folders: list[Path]) -> Iterator[os.DirEntry[str]]:
    pending = [str(folder) for folder in reversed(folders)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.endswith(_SUFFIXES):
                    yield entry
                elif entry.name != "__pycache__" and entry.is_dir():
                    pending.append(entry.path)


def _stat(folders: list[Path]) -> str:
    state = hashlib.sha256(__version__.encode())
    for entry in _files(folders):
        status = entry.stat()
        line = f"{entry.path}\0{status.st_size}\0{status.st_mtime_ns}\n"
        state.update(line.encode("utf-8", "surrogateescape"))
    return state.hexdigest()


def _digest(folders: list[Path]) -> str:
    state = hashlib.sha256()
    for entry in _files(folders):
        name = Path(entry.path).relative_to(_PACKAGE).as_posix()
        content = Path(entry.path).read_bytes().replace(b"\r\n", b"\n")
        state.update(f"{name}\0{len(content)}\0".encode() + content)
    return f"{__version__} {state.hexdigest()[:_DIGITS]}"


def _stat_wasmtime() -> str:
    """Any installation touches the directory that the package lies in."""
    from importlib.util import find_spec  # noqa: PLC0415 - only where it is needed

    spec = find_spec("wasmtime")
    if spec is None or spec.origin is None:
        return "none"
    package = Path(spec.origin).parent
    times = [path.stat().st_mtime_ns for path in (package.parent, package)]
    return hashlib.sha256(f"{package} {times}".encode("utf-8", "surrogateescape")).hexdigest()


def _wasmtime_version() -> str:
    from mochi_rules.aot.wheel import wheel_version  # noqa: PLC0415 - takes 15 ms

    return wheel_version()
