"""The library of another machine's wheel under qemu, for a Linux where there is no Rust.

A C program of ours calls the library. `prepare` makes both once, and they are kept together in
`directory`, whose name has the digest of everything they are made of.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.aot.engine_options import OPTIONS
from mochi_rules.aot.tools.tool_worker import INPUT, OUTPUT, serve_tool
from mochi_rules.aot.tools.wheel_download import take_library, wheel_pin
from mochi_rules.base.diagnostic import MochiError, environment_error, fail
from mochi_rules.base.files import reason
from mochi_rules.base.isolation import isolated_main
from mochi_rules.base.printable import output_notes
from mochi_rules.platforms.native_files import c_sources, tools_directory
from mochi_rules.platforms.platform import (
    PLATFORMS,
    CCompiler,
    Platform,
    find_platform,
    host_platform,
)
from mochi_rules.platforms.toolchain import Toolchain, ToolchainType
from mochi_rules.workers.protocol import Greeting

if TYPE_CHECKING:
    from mochi_rules.aot.config import EngineConfig

INSTALL = "mochi-rules toolchain install emulated"
INSTALL_QEMU = "apt-get install qemu-user-static"

_NAME = "emulated wheel"
_DRIVER = "aot"
_SOURCES = ("aot.c", "wasmtime48.h")
_DIGITS = 16  # hexadecimal, of a digest


def emulated_platforms(host: Platform) -> list[Platform]:
    """Return the platforms whose library can run under qemu: Linux on another processor."""
    return [
        row
        for row in PLATFORMS
        if row.os == "linux" and row.wheel_tag and row.gcc and row.cpu != host.cpu
    ]


def emulated_toolchain(target: Platform, host: Platform) -> Toolchain:
    """Return the emulated wheel of a platform as a toolchain. Nothing is started to find it."""
    missing, remedy = _problem(target, host)
    pin = None if missing else wheel_pin(target)
    return Toolchain(
        ToolchainType.AOT,
        _NAME,
        "qemu-user",
        exec=host.constraints,
        target=target.constraints,
        missing=missing,
        remedy=remedy,
        # Every tool of one version of Wasmtime makes the same bytes: the tool does not enter.
        identity=f"wasmtime {pin.version}" if pin else "",
        command=worker_command(target, directory(target)) if pin else (),
    )


def worker_command(target: Platform, files: Path) -> tuple[str, ...]:
    """Return the command of a worker on what `prepare` made, which is in a directory."""
    paths = (str(files / _DRIVER), str(files / target.system.library))
    version = wheel_pin(target).version
    return isolated_main(__name__, target.name, version, emulator(target), *paths)


def directory(target: Platform) -> Path:
    """Return where what `prepare` makes is to be kept; another one for every version of it.

    Emits: C030.

    Raises:
        MochiError: The sources are nowhere.
    """
    state = hashlib.sha256(wheel_pin(target).sha256.encode())
    for name, path in c_sources(*_SOURCES).items():
        data = path.read_bytes()
        state.update(f"{name}\0{len(data)}\0".encode() + data)
    return tools_directory() / f"emulated-{target.name}-{state.hexdigest()[:_DIGITS]}"


def prepare(target: Platform, wheel: bytes) -> dict[str, bytes]:
    """Return the files of the tool by name, of the wheel for a platform.

    They belong in `directory`; all are to be executable.

    Emits: C030, C033 (another wheel), C034 (the C compiler failed).

    Raises:
        MochiError: The tool cannot be made.
    """
    library = take_library(wheel, target)
    return {target.system.library: library, _DRIVER: _build_driver(_compiler(target))}


def main(name: str, version: str, emulator: str, driver: str, library: str) -> None:
    """Serve as a worker."""
    target = find_platform(name)
    start = (emulator, "-L", str(system_directory(target)), driver, library, INPUT, OUTPUT)

    def compose(config: EngineConfig, kind: str) -> tuple[str, ...]:
        if config.platform != target:  # the library would abort
            raise fail("A069", f"this compiles for `{target.name}`, not `{config.platform.name}`")
        return (*start, *driver_arguments(config, kind))

    serve_tool(Greeting(_NAME, version), compose)


def driver_arguments(config: EngineConfig, kind: str) -> list[str]:
    """Return the settings of a request as `toolchains/native/bundle/aot.c` reads them."""
    arguments = [f"kind={kind}", f"target={config.platform.triple}"]
    arguments += [f"flag={flag}" for flag in config.cpu.flags]
    for option in OPTIONS:
        value = getattr(config, option.name)
        if value is not None:
            arguments.append(f"{option.name}={int(value) if option.kind is bool else value}")
    return arguments


def system_directory(target: Platform) -> Path:
    """Return where the package of the cross compiler has the C library."""
    return Path("/usr", _compiler(target).program.removesuffix("-gcc"))


def emulators(target: Platform) -> tuple[str, str]:
    """Return the programs of qemu for a platform: distributions have one or the other."""
    return (f"qemu-{target.cpu}-static", f"qemu-{target.cpu}")


def emulator(target: Platform) -> str:
    """Return the program of qemu that is on PATH for a platform, or an empty string."""
    return next(filter(None, map(shutil.which, emulators(target))), "")


def find_emulator(target: Platform) -> tuple[str, ...]:
    """Return the command that runs a program of a platform on this machine.

    Emits: C037 (there is none).

    Raises:
        MochiError: Nothing here runs such programs.
    """
    system = target.gcc and system_directory(target)
    library = ("-L", str(system)) if system and system.is_dir() else ()
    if not (host_platform().os == target.os == "linux"):
        why, remedy = "qemu runs programs of Linux under Linux only", ""
    elif not (program := emulator(target)):
        why, remedy = f"`{emulators(target)[0]}` is not on PATH", f"run `{INSTALL_QEMU}`, or "
    else:
        return (program, *library)
    raise environment_error(
        "C037",
        f"this machine cannot run programs for `{target.name}`",
        notes=(why,),
        help=f"{remedy}name a server that can: `[remote.platform.{target.name}]` in `mochi.toml`",
    )


def _problem(target: Platform, host: Platform) -> tuple[str, str]:
    """Return what the tool lacks here, and the command that fixes it; or empty strings."""
    if host.os != target.os:
        return "qemu runs programs under Linux only", ""
    if not emulator(target):
        return f"`{emulators(target)[0]}` is not on PATH", INSTALL_QEMU
    compiler, system = _compiler(target), system_directory(target)
    if not (system / "lib").is_dir():
        return f"there is no C library in `{system}`", compiler.install
    try:
        files = directory(target)
    except MochiError as error:
        return error.diagnostics[0].message, ""
    if all((files / name).is_file() for name in (_DRIVER, target.system.library)):
        return "", ""
    if not shutil.which(compiler.program):
        return f"`{compiler.program}` is not on PATH", compiler.install
    return f"it is not installed; `{INSTALL}` fetches it", INSTALL


def _compiler(target: Platform) -> CCompiler:
    assert target.gcc is not None
    return target.gcc


def _build_driver(compiler: CCompiler) -> bytes:
    with tempfile.TemporaryDirectory(prefix="mochi-cc-") as name:
        for source, path in c_sources(*_SOURCES).items():
            Path(name, source).write_bytes(path.read_bytes())
        command = (compiler.program, "-O2", _SOURCES[0], "-o", _DRIVER, "-ldl")
        try:
            subprocess.run(command, cwd=name, capture_output=True, check=True)
            return Path(name, _DRIVER).read_bytes()
        except OSError as error:
            printed = reason(error)
        except subprocess.CalledProcessError as error:
            printed = error.stderr.decode(errors="replace")
    raise environment_error(
        "C034",
        f"`{compiler.program}` could not compile `{_SOURCES[0]}`",
        notes=output_notes(compiler.program, printed, at_start=True),
        help=f"run `{compiler.install}`",
    )
