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
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.aot.config import EngineConfig, engine_config
from mochi_rules.aot.options import OPTIONS
from mochi_rules.base.dataclass import dataclass
from mochi_rules.platforms.platform import find_platform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BOOTSTRAP = (
    "import json, sys; request = json.loads(sys.argv[1]); sys.path[:0] = request['path']; "
    "from mochi_rules.rules.guest import main; main(request)"
)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended: its status (None when its time was up), and what it printed."""

    status: int | None
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Program:
    """What is run: an artifact, what it was compiled under, arguments, and limits by name."""

    artifact: bytes
    config: EngineConfig
    argv: Sequence[str]
    limits: Mapping[str, int]


class Guests:
    """The programs that run now; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def run(self, program: Program, stdin: bytes, seconds: float) -> Ran:
        """Run a program to its end, at most so many seconds.

        It sees no variables and no directories: what it prints follows from what it is given.
        """
        with tempfile.TemporaryDirectory(prefix="mochi-test-") as folder:
            path = Path(folder) / "program.cwasm"
            path.write_bytes(program.artifact)
            config = program.config
            request = {
                "path": _import_path(),
                "artifact": str(path),
                "platform": config.platform.name,
                "cpu": config.cpu.name,
                "settings": {option.name: getattr(config, option.name) for option in OPTIONS},
                "argv": list(program.argv),
                "limits": dict(program.limits),
            }
            pipe = subprocess.PIPE
            process = subprocess.Popen(_command(request), stdin=pipe, stdout=pipe, stderr=pipe)
            return self._communicate(process, stdin, seconds)

    def tool(
        self,
        command: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        *,
        shows_progress: bool = False,
    ) -> Ran:
        """Run a tool of the user's in a folder, with `variables` besides those of this process.

        With `shows_progress`, what it says goes to this process's stderr.
        """
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=None if shows_progress else pipe,
            cwd=folder,
            env=os.environ | variables,
        )
        return self._communicate(process, b"", None)

    def _communicate(
        self, process: subprocess.Popen[bytes], stdin: bytes, seconds: float | None
    ) -> Ran:
        with self._lock:
            self._running.add(process)
        try:
            stdout, stderr = process.communicate(stdin, seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            return Ran(None, stdout, stderr or b"")
        finally:
            with self._lock:
                self._running.discard(process)
            with suppress(OSError):
                process.kill()
        return Ran(process.returncode, stdout, stderr or b"")

    def close(self) -> None:
        """End every program."""
        with self._lock:
            for process in self._running:
                process.kill()


def _import_path() -> list[str]:
    """Return where the child finds this package and Wasmtime; it starts without any site."""
    spec = find_spec("wasmtime")
    wheel = [str(Path(spec.origin).parents[1])] if spec and spec.origin else []
    return [str(Path(__file__).resolve().parents[2]), *wheel]


def _command(request: Mapping[str, object]) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", _BOOTSTRAP, json.dumps(request))


def main(request: dict[str, object]) -> None:
    """Be the program of a request; the status is the program's."""
    from mochi_rules.aot.run import Guest, run_cwasm  # noqa: PLC0415 - in the child alone
    from mochi_rules.base.diagnostic import MochiError  # noqa: PLC0415
    from mochi_rules.base.render import render_all  # noqa: PLC0415

    match request:
        case {
            "artifact": str(path),
            "platform": str(platform),
            "cpu": str(cpu),
            "settings": dict(settings),
            "argv": list(argv),
            "limits": dict(limits),
        }:
            config = engine_config(find_platform(platform), cpu, settings)
        case _:
            sys.exit("guest: no request")
    try:
        guest = Guest(tuple(argv), limits=limits)
        result = run_cwasm(Path(path).read_bytes(), config, guest)
    except MochiError as error:
        sys.stderr.write(render_all(error.diagnostics))
        sys.exit(error.exit_status)
    if result.trap is not None:
        sys.stderr.write(render_all([result.trap]))
    sys.exit(result.status)
