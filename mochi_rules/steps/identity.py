"""Identities of tools: what stands for them in a key.

Our own tools are identified by the digest of their source files, and Wasmtime by its version.
Finding out takes 10 ms and more, so it is kept in a small file, by a signature of what `stat`
says of our files: a warm start reads nothing but directories. A file that was changed within the
last seconds may change again without a trace in that; nothing is remembered of such files.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules import __version__
from mochi_rules.cache.entry import read_entry, seal, unseal, write_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_STEPS = ("__init__.py", "base", "platforms", "steps/step.py", "steps/reports.py",
          "ui/text.py", "aot/config.py", "aot/engine_options.py")  # fmt: skip
# A tool of ours: the files and folders that decide what it makes. A test compares them with what
# its steps import.
SOURCES: dict[str, tuple[str, ...]] = {
    "mochi": (*_STEPS, "compiler", "formats/build_info.py", "wasm",
              "steps/engines/compiler_worker.py", "steps/engines/engines.py",
              "steps/diagnostic_json.py", "steps/native/native_program.py",
              "aot/wheel.py", "aot/worker.py", "workers"),
    "import": (*_STEPS, "wasm", "aot/wat_assembler.py", "steps/import_checks.py"),
    "aot": (*_STEPS, "wasm", "steps/engines/engines.py", "aot/client.py",
            "aot/tools/command_line.py", "aot/tools/emulated.py", "aot/c_api.py", "aot/probe.py",
            "aot/problems.py", "workers", "aot/tools/tool_worker.py", "aot/wheel.py",
            "aot/tools/wheel_download.py", "aot/worker.py", "aot/executable/bundle.py",
            "steps/engines/wheel_worker.py"),
    "elf": (*_STEPS, "elf", "formats", "wasm", "steps/artifact_check.py", "steps/expectations.py",
            "steps/engines/wheel_worker.py"),
    "object": (*_STEPS, "aot/objects", "elf", "formats", "wasm", "steps/expectations.py"),
    "executable": (*_STEPS, "aot/executable", "formats", "wasm"),
    "stamp": (*_STEPS, "formats/build_info.py", "steps/stamp.py"),
    "test": (*_STEPS, "wasm", "steps/processes", "steps/diagnostic_json.py", "project/folder.py",
             "steps/away/guest.py", "steps/test_case.py", "aot/c_api.py",
             "aot/engine.py", "aot/engine_options.py", "aot/wheel.py",
             "aot/executable/settings.py", "aot/run.py", "aot/unwritten.py"),
    "bundle": (*_STEPS, "aot/executable/bundle.py", "aot/tools/wheel_download.py",
               "steps/native/c_compilation.py", "steps/exceptions.py", "steps/outputs.py",
               "steps/processes/subprocesses.py", "steps/native/bundle.py"),
    "native": (*_STEPS, "aot/native", "aot/executable", "aot/tools/c_compilers.py", "elf",
               "formats", "wasm", "steps/native", "steps/engines/engines.py",
               "steps/expectations.py", "workers"),
    "cargo": (*_STEPS, "aot/tools/native_tools.py", "cache/entry.py", "cache/lock.py",
              "steps/cargo.py", "steps/processes/subprocesses.py"),
}  # fmt: skip
WASMTIME, RUST = "wasmtime", "rust"

PACKAGE = Path(__file__).resolve().parents[1]
_SUFFIXES = (".py", ".mochi", ".wat")
_DIGITS = 16  # hexadecimal, of a digest of sources
_MEMO = "identities"
_MAX_MEMO = 1 << 20  # bytes
_REMEMBERED = 32  # lines: several checkouts share a memo
# A file system's clock may stand still for so long; FAT's does.
_SETTLED_NS = 2 * 10**9


def signature() -> str | None:
    """Return what changes whenever any file of ours, or any installed package, does.

    None is for files that are too new to be identified by it.
    """
    ours, wasmtime = _stat_ours(), _stat_wasmtime()
    return f"{ours} {wasmtime}" if ours and wasmtime else None


class Identities:
    """The identities of our own tools, of Wasmtime and of Rust, each found out once.

    `memo` is a file that remembers them between processes; without one, or where it cannot be
    written, they are found out again.
    """

    def __init__(self, memo: Path | None) -> None:
        self._memo = memo
        self._known: dict[str, str] = {}
        self._remembered: dict[str, str] | None = None
        self._signatures: dict[str, str | None] = {}

    def of(self, tool: str) -> str:
        """Return the identity of a tool, such as `0.1.0 91cc0d…` or `48.0.0`."""
        if tool not in self._known:
            self._known[tool] = self._find(tool)
        return self._known[tool]

    def _find(self, tool: str) -> str:
        if tool == WASMTIME:
            return self._recall(tool, self._signature(tool, _stat_wasmtime), _wasmtime_version)
        if tool == RUST:
            from mochi_rules.aot.tools.native_tools import rust_version  # noqa: PLC0415 - rare

            return rust_version()
        signature = self._signature("ours", _stat_ours)
        return self._recall(tool, signature, lambda: _digest(tool))

    def _signature(self, name: str, stat: Callable[[], str | None]) -> str | None:
        if name not in self._signatures:
            self._signatures[name] = stat()
        return self._signatures[name]

    def _recall(self, tool: str, signature: str | None, find: Callable[[], str]) -> str:
        if signature is None:
            return find()
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
        newest = list(self._remembered.items())[-_REMEMBERED:]
        text = "".join(f"{key}\t{value}\n" for key, value in newest)
        with suppress(OSError):  # a memo is optional
            write_entry(self._memo, seal(_MEMO, text.encode()))


def _read_memo(path: Path | None) -> dict[str, str]:
    """Return the lines of a memo, by tool and signature; nothing of one that was changed."""
    if path is None:
        return {}
    try:
        content = unseal(_MEMO, read_entry(path, _MAX_MEMO)) or b""
    except OSError:
        return {}
    return dict(line.split("\t", 1) for line in content.decode().splitlines())


def source_files(tool: str) -> list[str]:
    """Return the files that decide what a tool of ours makes, from our package, ascending."""
    within = tuple(f"{name}/" for name in SOURCES[tool])
    return sorted(
        name
        for name in (Path(entry.path).relative_to(PACKAGE).as_posix() for entry in _files())
        if name in SOURCES[tool] or name.startswith(within)
    )


def _files() -> Iterator[os.DirEntry[str]]:
    pending = [str(PACKAGE)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.endswith(_SUFFIXES):
                    yield entry
                elif entry.name != "__pycache__" and entry.is_dir():
                    pending.append(entry.path)


def _stat_ours() -> str | None:
    """Return a signature of all our files; None where one is too new."""
    return _signed((entry.path, entry.stat()) for entry in _files())


def _stat_wasmtime() -> str | None:
    """Return a signature of the installed package: any installation touches its folders."""
    from importlib.util import find_spec  # noqa: PLC0415 - only where it is needed

    spec = find_spec("wasmtime")
    if spec is None or spec.origin is None:
        return "none"
    package = Path(spec.origin).parent
    return _signed((str(path), path.stat()) for path in (package.parent, package))


def _signed(files: Iterable[tuple[str, os.stat_result]]) -> str | None:
    """Return what changes whenever a file does.

    A tool may set the time of a file's content, but not that of its status.
    """
    settled = time.time_ns() - _SETTLED_NS
    state = hashlib.sha256(__version__.encode())
    for path, at in files:
        if max(at.st_mtime_ns, at.st_ctime_ns) > settled:
            return None
        facts = (at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_ino, at.st_dev)
        state.update(f"{path}\0{facts}\n".encode("utf-8", "surrogateescape"))
    return state.hexdigest()


def _digest(tool: str) -> str:
    state = hashlib.sha256()
    for name in source_files(tool):
        content = (PACKAGE / name).read_bytes().replace(b"\r\n", b"\n")
        state.update(f"{name}\0{len(content)}\0".encode() + content)
    return f"{__version__} {state.hexdigest()[:_DIGITS]}"


def _wasmtime_version() -> str:
    from mochi_rules.aot.wheel import wheel_version  # noqa: PLC0415 - the wheel is rarely asked

    return wheel_version()
