"""The command lines of the workers and programs that compile, word for word.

An argument more or less can change an artifact, or let the user's environment into a worker.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import mochi_rules
from mochi_rules.aot import wheel
from mochi_rules.aot.config import engine_config
from mochi_rules.aot.tools import (
    c_compilers,
    command_line,
    emulated,
    native_tools,
)
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.isolation import isolated_main
from mochi_rules.platforms.platform import find_platform

LINUX, ARM = find_platform("x86_64-linux"), find_platform("aarch64-linux")
PACKAGE = str(Path(mochi_rules.__file__).parents[1])
# No variable PYTHON*, no directory of the user, no site-packages; then a line that calls `main`.
ISOLATED = (sys.executable, "-I", "-S", "-c")

REMEMBERED = (
    command_line.find_version,
    c_compilers._first_line,
    native_tools.rust_version,
    native_tools._has_rust_target,
)


@pytest.fixture
def started(monkeypatch):
    """Start no program: each succeeds, and prints the line `1.0`. Yield the commands."""
    commands = []

    def run(command, **options):
        commands.append(tuple(command))
        printed = "1.0\n" if options.get("text") else b"1.0\n"
        return subprocess.CompletedProcess(command, 0, printed, b"")

    monkeypatch.setattr(subprocess, "run", run)
    for function in REMEMBERED:
        function.cache_clear()
    yield commands
    for function in REMEMBERED:
        function.cache_clear()


def test_worker_of_the_wheel_finds_this_package_and_wasmtime():
    """It gets the two directories that it may import from."""
    command = wheel.worker_command()
    site = str(Path(find_spec("wasmtime").origin).parents[1])
    assert command[:4] == ISOLATED
    assert command[4:] == (script("mochi_rules.aot.worker", [PACKAGE, site]),)


def test_worker_of_a_tool_gets_its_module_and_arguments():
    """It needs no Wasmtime of its own."""
    command = isolated_main("mochi_rules.aot.tools.command_line", "/opt/wasmtime")
    assert command[:4] == ISOLATED
    module = "mochi_rules.aot.tools.command_line"
    assert command[4:] == (script(module, [PACKAGE]), "/opt/wasmtime")


def test_worker_under_qemu_gets_what_it_runs(monkeypatch):
    """Platform and version for the greeting, then the emulator, the driver and the library."""
    monkeypatch.setattr(emulated.shutil, "which", lambda name: f"/usr/bin/{name}")
    command = emulated.worker_command(ARM, Path("/tools"))
    assert command[:4] == ISOLATED
    assert command[4:] == (
        *(script("mochi_rules.aot.tools.emulated", [PACKAGE]), "aarch64-linux", "48.0.0"),
        *("/usr/bin/qemu-aarch64-static", "/tools/aot", "/tools/libwasmtime.so"),
    )


def test_qemu_runs_the_driver_with_the_other_c_library(monkeypatch):
    """The settings follow the files."""
    composed = []
    monkeypatch.setattr(emulated, "serve_tool", lambda _greeting, compose: composed.append(compose))
    emulated.main("aarch64-linux", "48.0.0", "qemu", "driver", "library")
    config = engine_config(ARM)
    assert composed[0](config, "module") == (
        *("qemu", "-L", "/usr/aarch64-linux-gnu", "driver", "library", "in.wasm", "out.cwasm"),
        *emulated.driver_arguments(config, "module"),
    )


def test_command_wasmtime_gets_every_setting():
    """All that decides bytes is said, defaults too: those of the command differ from ours."""
    assert command_line.compile_command("wasmtime", engine_config(LINUX)) == (
        *("wasmtime", "compile", "--target", "x86_64-unknown-linux-gnu"),
        *("-C", "collector=drc", "-C", "cache=n", "-C", "inlining=n"),
        *("-W", "concurrency-support=y", "-D", "symbols=y"),
        *("-C", "cranelift-has_sse3", "-C", "cranelift-has_ssse3"),
        *("-C", "cranelift-has_cmpxchg16b", "-C", "cranelift-has_sse41"),
        *("-C", "cranelift-has_sse42", "-C", "cranelift-has_popcnt"),
        *("-O", "opt-level=2", "-C", "compiler=cranelift", "-D", "debug-info=n"),
        *("-W", "epoch-interruption=n", "-O", "memory-reservation=4294967296"),
        *("-O", "memory-guard-size=33554432", "-W", "nan-canonicalization=n"),
        *("-O", "signals-based-traps=y", "-o", "out.cwasm", "in.wasm"),
    )


def test_version_of_the_command_wasmtime(started):
    """It is asked for by itself."""
    command_line.find_version("/opt/wasmtime")
    assert started == [("/opt/wasmtime", "--version")]


def test_version_of_a_c_compiler(started):
    """Its first line is a part of the keys of what it makes."""
    assert c_compilers._first_line("/usr/bin/cc", "--version") == "1.0"
    assert started == [("/usr/bin/cc", "--version")]


def test_driver_is_compiled_in_c(started):
    """It opens the library when it runs, so it is linked with nothing but `dl`."""
    with pytest.raises(MochiError, match="C034"):  # for the fixture makes no file
        emulated._build_driver(ARM.gcc)
    assert started == [("aarch64-linux-gnu-gcc", "-O2", "aot.c", "-o", "aot", "-ldl")]


@pytest.mark.parametrize(
    ("ask", "command"),
    [
        (native_tools.rust_version, ("rustc", "-vV")),
        (
            lambda: native_tools._has_rust_target("x-y-z"),
            ("rustc", "--print", "target-libdir", "--target", "x-y-z"),
        ),
    ],
)
def test_what_rust_is_asked(started, ask, command):
    """Its version enters the keys of what cargo builds; a target needs its library."""
    ask()
    assert started == [command]


def script(module: str, path: list[str]) -> str:
    """Return what such a process runs: `main` of a module, found where packages may be."""
    return (
        f"import sys; sys.path[:0] = {path!r}; from importlib import import_module;"
        f" import_module({module!r}).main(*sys.argv[1:])"
    )
