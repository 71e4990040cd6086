"""A `wasmtime` command as a toolchain: whether it is here, of our version, and for which machines.

It is started to find that out, so this is looked at last, and once in a process.
"""

from __future__ import annotations

import re
import shutil
import sys
from functools import cache
from pathlib import Path
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING

from mochi_rules.aot.config import cli_arguments, engine_config
from mochi_rules.aot.engine_options import WASMTIME_MAJOR
from mochi_rules.aot.probe import EMPTY_MODULE, engine_section
from mochi_rules.aot.tools.tool_worker import (
    INPUT,
    OUTPUT,
    KilledError,
    run_tool,
    serve_tool,
)
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.isolation import isolated_main
from mochi_rules.platforms.platform import PLATFORMS, Constraint
from mochi_rules.platforms.toolchain import Toolchain, ToolchainType
from mochi_rules.workers.process_environment import run_scrubbed
from mochi_rules.workers.protocol import Greeting

if TYPE_CHECKING:
    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.platforms.platform import Platform

_NAME = "wasmtime"
_SECONDS = 30  # for a question that takes 30 ms

# A build of Wasmtime has code generators by architecture: one platform of each is asked for.
_EXAMPLES = {row.cpu: row for row in PLATFORMS if row.os == "linux"}


def command_line_toolchains(host: Platform, path: str = "") -> list[Toolchain]:
    """Return the command as a toolchain for each architecture, or as one that says what is wrong.

    `path` is where the user says it is; without one it is looked for on PATH.
    """
    origin = path or "on PATH"
    found = shutil.which(path or _NAME)
    if found is None:
        place = f"`{path}` is not a program" if path else f"`{_NAME}` is not on PATH"
        return [_toolchain(host, origin, missing=place)]
    program = str(Path(found).absolute())
    version, problem = find_version(program)
    if problem:
        return [_toolchain(host, origin, missing=problem)]
    return [
        _toolchain(host, origin, cpu, _target_problem(program, cpu), version, program)
        for cpu in _EXAMPLES
    ]


def _toolchain(
    host: Platform,
    origin: str,
    cpu: str = "",
    missing: str = "",
    version: str = "",
    program: str = "",
) -> Toolchain:
    return Toolchain(
        ToolchainType.AOT,
        _NAME,
        origin,
        exec=host.constraints,
        target=frozenset({Constraint("cpu", cpu)} if cpu else ()),
        missing=missing,
        # Every tool of one version of Wasmtime makes the same bytes: the tool does not enter.
        identity=f"wasmtime {version}" if version else "",
        command=() if missing else isolated_main(__name__, program),
    )


@cache
def find_version(program: str) -> tuple[str, str]:
    """Return a command's version and an empty string, or what is wrong with it."""
    try:
        ended = run_scrubbed((program, "--version"), seconds=_SECONDS)
    except TimeoutExpired:
        return "", f"`{program} --version` printed nothing within {_SECONDS} s"
    except OSError as error:
        return "", f"`{program}` cannot be started: {(error.strerror or str(error)).lower()}"
    said = ended.stdout.decode(errors="replace").strip()
    version = re.match(r"wasmtime(?:-cli)? (\d+)(\.\d+\.\d+\S*)", said)
    if ended.returncode != 0 or version is None:
        first = said.partition("\n")[0]
        return "", f"`{program} --version` says `{first:.80}`, which is not a version of Wasmtime"
    if int(version[1]) != WASMTIME_MAJOR:
        text = f"`{program}` is Wasmtime {version[1]}{version[2]}, and {WASMTIME_MAJOR} is needed"
        return "", text
    return version[1] + version[2], ""


@cache
def _target_problem(program: str, cpu: str) -> str:
    """Return why a command cannot compile for an architecture as the wheel would; or nothing."""
    config = engine_config(_EXAMPLES[cpu])
    try:
        error, artifact = run_tool(compile_command(program, config), EMPTY_MODULE, _SECONDS)
        if error is None:
            is_ours = config.platform.triple.encode() in engine_section(artifact)
            error = "" if is_ours else "its output is for another machine"
    except OSError as problem:
        error = problem.strerror or str(problem)
    except KilledError as problem:
        error = f"it was terminated by signal {problem.args[0]}"
    except MochiError as problem:
        error = problem.diagnostics[0].message
    if not error:
        return ""
    reason = error.splitlines()[-1].strip()
    return f"`{program}` cannot compile for {cpu}: {reason:.200}"


def compile_command(program: str, config: EngineConfig) -> tuple[str, ...]:
    """Return the command that compiles INPUT to OUTPUT in the directory it is run in."""
    return (program, *cli_arguments(config), "-o", OUTPUT, INPUT)


def main(program: str) -> None:
    """Serve as a worker; the command finds out by itself whether it compiles a component."""
    version, problem = find_version(program)
    if problem:
        sys.exit(problem)
    serve_tool(Greeting(_NAME, version), lambda config, _: compile_command(program, config))
