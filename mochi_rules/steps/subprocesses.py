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
from dataclasses import field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.aot.config import EngineConfig, engine_config
from mochi_rules.aot.engine_options import OPTIONS
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.lifeline import end_with_parent, supervised, tied
from mochi_rules.platforms.platform import find_platform
from mochi_rules.steps.capture import Ran, communicate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_BOOTSTRAP = (
    "import json, sys; request = json.loads(sys.argv[1]); sys.path[:0] = request['path']; "
    "from mochi_rules.steps.subprocesses import main; main(request)"
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


class Subprocesses:
    """The programs that run now; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def run(self, program: Program, stdin: bytes, seconds: float) -> Ran:
        """Run a program to its end, at most so many seconds.

        It sees no variables, and copies of its directories: what it prints follows from what it
        is given.
        """
        with tempfile.TemporaryDirectory(prefix="mochi-test-") as folder:
            request = _prepare(program, Path(folder))
            pipe = subprocess.PIPE
            process = subprocess.Popen(
                _command(request), stdin=pipe, stdout=pipe, stderr=pipe, **tied(os.environ)
            )
            return self._communicate(process, stdin, seconds)

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
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            supervised(command),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            cwd=folder,
            **tied(os.environ | variables),
        )
        return self._communicate(process, b"", None, listen)

    def _communicate(
        self,
        process: subprocess.Popen[bytes],
        stdin: bytes,
        seconds: float | None,
        listen: Callable[[bytes], None] = lambda _: None,
    ) -> Ran:
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


def _prepare(program: Program, folder: Path) -> dict[str, object]:
    """Write what a program needs to a folder, and return the request of its process."""
    config = program.config
    (folder / _ARTIFACT).write_bytes(program.artifact)
    (folder / _LINES).write_bytes(program.lines)
    places = [folder / "dirs" / str(number) for number in range(len(program.directories))]
    for place in places:
        place.mkdir(parents=True)
    for name, data in program.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return {
        "path": _import_path(),
        "folder": str(folder),
        "platform": config.platform.name,
        "cpu": config.cpu.name,
        "settings": {option.name: getattr(config, option.name) for option in OPTIONS},
        "argv": list(program.argv),
        "limits": dict(program.limits),
        "directories": [
            (str(place), *known) for place, known in zip(places, program.directories, strict=True)
        ],
    }


def _import_path() -> list[str]:
    """Return where the child finds this package and Wasmtime; it starts without any site."""
    spec = find_spec("wasmtime")
    wheel = [str(Path(spec.origin).parents[1])] if spec and spec.origin else []
    return [str(Path(__file__).resolve().parents[2]), *wheel]


def _command(request: Mapping[str, object]) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", _BOOTSTRAP, json.dumps(request))


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
        preopened = tuple(Directory(*item) for item in directories)
        guest = Guest(tuple(argv), directories=preopened, limits=limits)
        files = Path(folder)
        lines = (files / _LINES).read_bytes()
        result = run_cwasm((files / _ARTIFACT).read_bytes(), config, guest, lines)
    except MochiError as error:
        sys.stderr.write(render_all(error.diagnostics))
        sys.exit(error.exit_status)
    if result.trap is not None:
        sys.stderr.write(render_all([result.trap]))
    sys.exit(result.status)
