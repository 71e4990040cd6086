"""A worker around a program that compiles one file: it starts the program for each request.

The program is given a directory of its own, where it reads INPUT and writes OUTPUT.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
from pathlib import Path
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING, Any

from mochi_rules.aot.config import EngineConfig
from mochi_rules.aot.engine_options import OPTIONS
from mochi_rules.base.diagnostic import Fault, MochiError
from mochi_rules.platforms.architecture import CpuLevel
from mochi_rules.platforms.platform import find_platform
from mochi_rules.workers.process_environment import run_scrubbed
from mochi_rules.workers.serve import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mochi_rules.workers.protocol import Greeting

    # From a configuration and the kind (`module` or `component`) to the whole command.
    Compose = Callable[[EngineConfig, str], Sequence[str]]

INPUT, OUTPUT = "in.wasm", "out.cwasm"

_MAGIC = b"\0asm"
_SHOWN = 2000  # characters of what a program said
_TERMINATED = 128 + signal.SIGTERM


class KilledError(Exception):
    """A signal ended the program; it is the one argument."""


def serve_tool(greeting: Greeting, compose: Compose) -> None:
    """Answer requests until stdin ends, each by a run of the command that `compose` makes.

    SIGTERM ends the program too, and takes its files away.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    serve(greeting, lambda fields, wasm: _answer(compose, fields, wasm))


def _answer(compose: Compose, fields: Mapping[str, Any], wasm: bytes) -> tuple[str | None, bytes]:
    if not wasm.startswith(_MAGIC):  # the program would take it for the text format
        return "not a WebAssembly binary", b""
    try:
        command = compose(_configuration(fields), fields["kind"])
    except MochiError as error:
        return error.diagnostics[0].message, b""
    except (LookupError, TypeError, ValueError) as error:
        return f"bad request: {error!r}", b""
    try:
        return run_tool(command, wasm)
    except OSError as error:
        sys.stderr.write(f"{error.filename or command[0]}: {error.strerror}\n")
        sys.exit(Fault.ENVIRONMENT.value)
    except KilledError as error:
        os.kill(os.getpid(), error.args[0])  # so that the client learns of it
        raise


def run_tool(
    command: Sequence[str], wasm: bytes, seconds: float | None = None
) -> tuple[str | None, bytes]:
    """Compile once: return the program's error, if any, and the artifact.

    `seconds` is the longest that it may take.

    Raises:
        OSError: The program cannot be started, or its files cannot be written.
        KilledError: The program did not end by itself.
    """
    with tempfile.TemporaryDirectory(prefix="mochi-aot-") as name:
        Path(name, INPUT).write_bytes(wasm)
        try:
            ended = run_scrubbed(command, name, seconds)
        except TimeoutExpired:
            return f"it did not finish within {seconds:g} s", b""
        if ended.returncode == 0:
            return None, Path(name, OUTPUT).read_bytes()
    stderr = ended.stderr.decode(errors="replace")
    if ended.returncode < 0 and "panicked" not in stderr:
        raise KilledError(-ended.returncode)
    return _failure_text(ended.returncode, stderr), b""


def _failure_text(status: int, stderr: str) -> str:
    """Return the error of a failed program of Wasmtime in the form in which a worker reports it."""
    if panic := re.search(r"^thread .*? panicked at .*\n(.*)", stderr, re.MULTILINE):
        return f"Wasmtime panicked: {panic[1].strip()}"
    text = stderr.partition("Stack backtrace:")[0].strip()
    text = re.sub(r"^error: ", "", text, flags=re.IGNORECASE)
    return text[-_SHOWN:] or f"it exited with status {status} and printed nothing"


def _configuration(fields: Mapping[str, Any]) -> EngineConfig:
    """Return what `config.canonical` was made of, but for the name of the CPU level."""
    platform = find_platform(fields["target"])
    if any(value is not None for _, value in fields["flags"]):
        raise ValueError("a flag with a value")
    level = CpuLevel("", tuple(name for name, _ in fields["flags"]))
    values: dict[str, Any] = {option.name: fields[option.name] for option in OPTIONS}
    return EngineConfig(platform, level, **values)
