"""Runs a program in a process of its own, with its output caught: what a test does.

The child is this module's `main`: it loads one artifact, and is that program until it ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mochi_rules.aot.config import EngineConfig, engine_config
from mochi_rules.aot.engine_options import OPTIONS
from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.isolation import IMPORT_ROOT, isolated
from mochi_rules.base.lifeline import end_with_parent, supervised, tied
from mochi_rules.platforms.platform import find_platform
from mochi_rules.steps.processes.capture import Ran, communicate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_BOOTSTRAP = (
    "import json, sys; request = json.loads(sys.argv[1]); sys.path[:0] = request['path']; "
    "from mochi_rules.steps.processes.subprocesses import main; main(request)"
)
_ARTIFACT, _LINES = "program.cwasm", "program.lines"


@dataclass(frozen=True, slots=True)
class Program:
    """What is run: an artifact, what it was compiled under, arguments, and limits by name.

    `directories` are names that the program knows them by, each with one of `settings.ACCESSES`.
    `files` are those in them by name, as `testing.directory_inputs` names them. `lines` is the
    section `mochi.lines`.
    """

    artifact: bytes
    config: EngineConfig
    argv: Sequence[str]
    limits: Mapping[str, int] = field(default_factory=dict)
    directories: Sequence[tuple[str, str]] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    lines: bytes = b""


@dataclass(frozen=True, slots=True)
class Executable:
    """What is run for another platform: its files by path, of which STARTED is started.

    It starts in a folder that has the files of its directories, and those `folders`.
    """

    platform: str
    program: Mapping[str, bytes]
    arguments: Sequence[str] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    folders: Sequence[str] = ()


STARTED = "program"
FOLDER = "runtime"  # of STARTED and what lies beside it, where the executable starts


class Away(Protocol):
    """Runs programs on another machine."""

    def run_program(
        self,
        files: Mapping[str, bytes],
        request: Mapping[str, object],
        stdin: bytes,
        seconds: float,
    ) -> Ran | None:
        """Return how `main` ended with a request among some files; None where it must run here."""

    def execute(self, executable: Executable, stdin: bytes, seconds: float) -> Ran | None:
        """Return how an executable ended; None where it must run here."""


class Subprocesses:
    """The programs that run now, or `away`; safe for threads."""

    def __init__(self, away: Away | None = None) -> None:
        self._away = away
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def run(self, program: Program, stdin: bytes, seconds: float) -> Ran:
        """Run a program to its end, at most so many seconds.

        It sees no variables, and copies of its directories: what it prints follows from what it
        is given.
        """
        if self._away is not None:
            request = _request(program, ".")
            ran = self._away.run_program(_files(program), request, stdin, seconds)
            if ran is not None:
                return ran
        with tempfile.TemporaryDirectory(prefix="mochi-test-") as folder:
            _write(Path(folder), _files(program))
            request = _request(program, folder) | {"path": _import_path()}
            return self._run(
                _command(request), tied(os.environ, hears_terminal=False), stdin, seconds
            )

    def execute(
        self,
        executable: Executable,
        find_emulator: Callable[[], Sequence[str]],
        stdin: bytes,
        seconds: float,
    ) -> Ran:
        """Run an executable to its end, as `run` does: away, or here by a command that runs it.

        Raises:
            MochiError: There is no such command.
        """
        if self._away is not None:
            ran = self._away.execute(executable, stdin, seconds)
            if ran is not None:
                return ran
        emulator = find_emulator()
        with tempfile.TemporaryDirectory(prefix="mochi-test-") as name:
            folder = Path(name)
            for path in executable.folders:
                (folder / path).mkdir(parents=True, exist_ok=True)
            _write(folder / FOLDER, executable.program)
            _write(folder, executable.files)
            program = folder / FOLDER / STARTED
            program.chmod(0o755)
            command = supervised((*emulator, str(program), *executable.arguments))
            options = {"cwd": folder, **tied({}, hears_terminal=False)}
            return self._run(command, options, stdin, seconds)

    def tool(
        self,
        command: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        listen: Callable[[bytes], None] = lambda _: None,
    ) -> Ran:
        """Run a tool of the user's in a folder, with `variables` besides those of this process.

        `listen` hears what it writes to stderr, in another thread.
        """
        options = {"cwd": folder, **tied(os.environ | variables)}
        return self._run(supervised(command), options, b"", None, listen)

    def _run(
        self,
        command: Sequence[str],
        options: Mapping[str, Any],
        stdin: bytes,
        seconds: float | None,
        listen: Callable[[bytes], None] = lambda _: None,
    ) -> Ran:
        """Run a command to its end, with some options of `Popen`."""
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, **options)
        with self._lock:
            self._running.add(process)
            if self._is_closed:  # while it was started
                process.terminate()
        try:
            return communicate(process, stdin, seconds, listen)
        finally:
            with self._lock:
                self._running.discard(process)

    def close(self) -> None:
        """End every program, and whatever is started afterwards."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                process.terminate()


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _files(program: Program) -> dict[str, bytes]:
    """Return what a program needs in the folder of its process, by path."""
    return {_ARTIFACT: program.artifact, _LINES: program.lines, **program.files}


def _request(program: Program, folder: str) -> dict[str, object]:
    """Return the request of the process of a program."""
    config = program.config
    return {
        "folder": folder,
        "platform": config.platform.name,
        "cpu": config.cpu.name,
        "settings": {option.name: getattr(config, option.name) for option in OPTIONS},
        "argv": list(program.argv),
        "limits": dict(program.limits),
        "directories": list(program.directories),
    }


def _import_path() -> list[str]:
    """Return where the child finds this package and Wasmtime; it starts without any site."""
    spec = find_spec("wasmtime")
    wheel = [str(Path(spec.origin).parents[1])] if spec and spec.origin else []
    return [IMPORT_ROOT, *wheel]


def _command(request: Mapping[str, object]) -> tuple[str, ...]:
    return isolated(_BOOTSTRAP, json.dumps(request))


def main(request: dict[str, object]) -> None:
    """Be the program of a request; the status is the program's."""
    from mochi_rules.aot.executable.settings import Directory  # noqa: PLC0415 - in the child alone
    from mochi_rules.aot.run import Guest, run_cwasm  # noqa: PLC0415 - in the child alone
    from mochi_rules.base.diagnostic import MochiError  # noqa: PLC0415
    from mochi_rules.base.render import render_all  # noqa: PLC0415

    end_with_parent()
    match request:
        case {
            "folder": str(folder),
            "platform": str(platform),
            "cpu": str(cpu),
            "settings": dict(settings),
            "argv": list(argv),
            "limits": dict(limits),
            "directories": list(directories),
        }:
            config = engine_config(find_platform(platform), cpu, settings)
        case _:
            sys.exit("guest: no request")
    try:
        files = Path(folder)
        places = [files / "dirs" / str(number) for number in range(len(directories))]
        for place in places:
            place.mkdir(parents=True, exist_ok=True)  # without files, it is not there yet
        preopened = tuple(
            Directory(str(place), *known) for place, known in zip(places, directories, strict=True)
        )
        guest = Guest(tuple(argv), directories=preopened, limits=limits)
        lines = (files / _LINES).read_bytes()
        result = run_cwasm((files / _ARTIFACT).read_bytes(), config, guest, lines)
    except MochiError as error:
        sys.stderr.write(render_all(error.diagnostics))
        sys.exit(error.exit_status)
    if result.trap is not None:
        sys.stderr.write(render_all([result.trap]))
    sys.exit(result.status)
