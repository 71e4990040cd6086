"""What a worker needs on a machine that has nothing: Python, its libraries, and our package.

It is the Python of this process, so that a step makes there what it makes here. The standard
library goes as one archive of compiled modules, and our own modules as compiled files. A worker
that cargo built goes as it is.
"""

from __future__ import annotations

import importlib.util
import io
import marshal
import os
import subprocess
import sys
import sysconfig
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.remote.executor import RUNTIME, Job, Tree, make_tree
from mochi_rules.steps.identity import PACKAGE, source_files
from mochi_rules.steps.processes.subprocesses import STARTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mochi_rules.steps.processes.subprocesses import Executable

_LOADER, _PYTHON, _LIBRARIES = "loader", "python", "lib"
_HOME = "home"
_WITH_WASMTIME = ("aot", "test")
# Of the standard library, what no step needs and much of the size.
_LEFT_OUT = ("__pycache__", "ensurepip", "idlelib", "lib-dynload", "lib2to3", "pydoc_data",
             "site-packages", "sqlite3", "test", "tkinter", "turtledemo", "unittest",
             "venv")  # fmt: skip
_NO_MODULES = ("_test", "_tkinter", "_curses", "_sqlite3", "_ssl", "_gdbm", "_dbm", "xx", "nis",
               "readline", "ossaudiodev")  # fmt: skip
_UNCHECKED = (0b01).to_bytes(4, "little") + bytes(8)  # of compiled files that have no source
_HEADER = 16  # bytes of a compiled file
_WITHOUT_REFERENCES = 2  # a version of `marshal`; later ones write what the process refers to
_DATE = (1980, 1, 1, 0, 0, 0)

INPUT = "stdin"  # the file of a job that is its standard input
_BASE = f"{RUNTIME}/base"
_ENVIRONMENT = {"PYTHONHOME": f"{_BASE}/{_HOME}", "PYTHONHASHSEED": "0"}
_START = (
    f"import importlib, os, sys; sys.path += ['{RUNTIME}/' + name"
    " for name in ('base/extensions', 'ours', 'wheel')];"
    f" os.dup2(os.open('{INPUT}', os.O_RDONLY), 0);"
    " importlib.import_module(sys.argv[1]).main()"
)


class UnsupportedError(Exception):
    """This machine's Python cannot be taken elsewhere; the text says why."""


def program_job(
    program: Path, arguments: tuple[str, ...], files: Mapping[str, bytes], seconds: float
) -> Job:
    """Return the job that is a program of this machine.

    Raises:
        UnsupportedError: It cannot be taken along.
    """
    command = (f"{RUNTIME}/{STARTED}", *arguments)
    if _needs(program):
        loader = (f"{RUNTIME}/{_LOADER}", "--library-path", f"{RUNTIME}/{_LIBRARIES}")
        command = (*loader, *command)
    return Job(program.name, command, _program_tree(program), files, seconds)


def module_job(tool: str, module: str, files: Mapping[str, bytes], seconds: float) -> Job:
    """Return the job that is the `main` of a module of a tool of ours, one of `identity.SOURCES`.

    Raises:
        UnsupportedError: This Python cannot be taken along.
    """
    libraries = f"{_BASE}/{_LIBRARIES}:{RUNTIME}/wheel/{_LIBRARIES}"
    loader = (f"{_BASE}/{_LOADER}", "--library-path", libraries)
    command = (*loader, f"{_BASE}/{_PYTHON}", "-S", "-s", "-P", "-c", _START, module)
    return Job(module, command, runtime_tree(tool), files, seconds, _ENVIRONMENT)


def executable_job(executable: Executable, stdin: bytes, seconds: float) -> Job:
    """Return the job that is an executable; a shell gives it standard input, where it has some."""
    command: tuple[str, ...] = (f"{RUNTIME}/{STARTED}", *executable.arguments)
    files = dict(executable.files)
    if stdin:
        command = ("/bin/sh", "-c", f'exec "$0" "$@" < {INPUT}', *command)
        files[INPUT] = stdin
    tree = make_tree(executable.program, (STARTED,))
    return Job("test", command, tree, files, seconds, platform=executable.platform)


@lru_cache
def runtime_tree(tool: str) -> Tree:
    """Return what a tool of ours needs on a machine that has nothing.

    Raises:
        UnsupportedError: As `job`.
    """
    ours = {f"mochi_rules/{name}": data for name, data in _ours(source_files(tool))}
    subtrees = {"base": _base(), "ours": make_tree(ours)}
    if tool in _WITH_WASMTIME:
        subtrees["wheel"] = _wheel()
    return make_tree({}, subtrees=subtrees)


@lru_cache
def _program_tree(program: Path) -> Tree:
    files: dict[str, bytes | Path] = {STARTED: program}
    if not _needs(program):
        return make_tree(files, (STARTED,))
    return make_tree(_with_libraries({_LOADER: _loader(), **files}), (_LOADER, STARTED))


@lru_cache
def _base() -> Tree:
    files = dict(_python())
    return make_tree(_with_libraries(files), (_LOADER, _PYTHON))


@lru_cache
def _wheel() -> Tree:
    return make_tree(_with_libraries(dict(_wasmtime())))


def _python() -> Iterator[tuple[str, bytes | Path]]:
    """Yield the interpreter, its loader and the standard library."""
    yield _LOADER, _loader()
    yield _PYTHON, Path(sys.executable).resolve()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    yield f"{_HOME}/lib/python{version.replace('.', '')}.zip", _standard_library()
    for path in Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so"):
        if not path.name.startswith(_NO_MODULES):
            yield f"extensions/{path.name}", path


def _standard_library() -> bytes:
    root = Path(sysconfig.get_path("stdlib"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path in sorted(_sources(root)):
            name = path.relative_to(root).with_suffix(".pyc").as_posix()
            archive.writestr(zipfile.ZipInfo(name, _DATE), _compiled(path))
    return out.getvalue()


def _sources(root: Path) -> Iterator[Path]:
    """Yield the modules of the standard library that go along.

    What is left out is not even looked at: it has ten times as many files.
    """
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        yield from (Path(folder, name) for name in files if name.endswith(".py"))


def _ours(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        path = PACKAGE / name
        if path.suffix == ".py":
            yield f"{name}c", _compiled(path)
        else:
            yield name, path.read_bytes()


def _wasmtime() -> Iterator[tuple[str, bytes | Path]]:
    spec = importlib.util.find_spec("wasmtime")
    if spec is None or spec.origin is None:
        raise UnsupportedError("the package `wasmtime` is not installed")
    package = Path(spec.origin).parent
    for path in sorted(package.rglob("*")):
        name = path.relative_to(package.parent).as_posix()
        if path.suffix == ".py":
            yield f"{name}c", _compiled(path)
        elif path.suffix == ".so":
            yield name, path
    for path in package.parent.glob("wasmtime-*.dist-info/METADATA"):  # its version
        yield f"{path.parent.name}/{path.name}", path


def _compiled(path: Path) -> bytes:
    """Return a module's compiled file, which holds no time: what is installed, or made now."""
    cached = Path(importlib.util.cache_from_source(str(path)))
    at = path.stat()
    times = int(at.st_mtime).to_bytes(8, "little")[:4] + at.st_size.to_bytes(8, "little")[:4]
    try:
        found = cached.read_bytes()
    except OSError:
        found = b""
    if found[:_HEADER] == importlib.util.MAGIC_NUMBER + bytes(4) + times:
        code = found[_HEADER:]
    else:
        name = path.name
        compiled = compile(path.read_bytes(), name, "exec", dont_inherit=True)
        code = marshal.dumps(compiled, _WITHOUT_REFERENCES)
    return importlib.util.MAGIC_NUMBER + _UNCHECKED + code


def _loader() -> Path:
    """Return the loader of this process's own libraries."""
    try:
        lines = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        raise UnsupportedError("this is not Linux") from None
    for line in lines:
        path = Path(line.rpartition(" ")[2])
        if path.name.startswith(("ld-linux", "ld-musl", "ld64")):
            return path.resolve()
    raise UnsupportedError("its Python is statically linked")


def _with_libraries(files: dict[str, bytes | Path]) -> dict[str, bytes | Path]:
    """Return some files, and the libraries that they need."""
    found = dict(files)
    for path in files.values():
        if isinstance(path, Path):
            found |= {f"{_LIBRARIES}/{name}": library for name, library in _needs(path).items()}
    return found


@lru_cache
def _needs(binary: Path) -> Mapping[str, Path]:
    """Return the libraries of a program or a library: where they are, by name.

    What needs some needs a loader, too; the one of this process must do.
    """
    ran = subprocess.run([_loader(), "--list", binary], capture_output=True, text=True, check=False)
    found = {}
    for line in ran.stdout.splitlines():
        name, _, rest = line.strip().partition(" => ")
        if rest.startswith("/") and "/" not in name:
            found[name] = Path(rest.rpartition(" (")[0]).resolve()
    return found
