"""The aarch64 wheel's library under qemu, for aarch64-linux where there is no Rust.

A C program of ours calls the library. Both are made once by `prepare`, and kept together in
`directory()`, whose name has the digest of everything they are made of.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.aot.options import OPTIONS
from mochi_rules.aot.tool_worker import INPUT, OUTPUT, serve_tool, tool_worker_command
from mochi_rules.aot.wheel_download import take_library, wheel_pin
from mochi_rules.base.diagnostic import MochiError, environment_error, fail
from mochi_rules.platforms.native import c_sources, tools_directory
from mochi_rules.platforms.platform import find_platform
from mochi_rules.platforms.toolchain import Toolchain, ToolchainType
from mochi_rules.workers.protocol import Greeting

if TYPE_CHECKING:
    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.platforms.platform import Platform

TARGET = find_platform("aarch64-linux")
INSTALL = "mochi-rules toolchain install emulated"

_NAME = "emulated wheel"
_COMPILER, _PACKAGE = "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"
_EMULATORS = ("qemu-aarch64-static", "qemu-aarch64")
_SYSTEM = Path("/usr/aarch64-linux-gnu")  # the C library of the cross compiler's package
_DRIVER, _LIBRARY = "aot", "libwasmtime.so"
_SOURCES = ("aot.c", "wasmtime48.h")
_DIGITS = 16  # hexadecimal, of a digest


def emulated_toolchain(host: Platform) -> Toolchain:
    """Return the emulated wheel as a toolchain. Nothing is started to find it."""
    missing, remedy = _problem(host)
    pin = None if missing else wheel_pin(TARGET)
    return Toolchain(
        ToolchainType.AOT,
        _NAME,
        "qemu-user",
        exec=host.constraints,
        target=TARGET.constraints,
        missing=missing,
        remedy=remedy,
        # Every tool of one version of Wasmtime makes the same bytes: the tool does not enter.
        identity=f"wasmtime {pin.version}" if pin else "",
        command=worker_command(directory()) if pin else (),
    )


def worker_command(files: Path) -> tuple[str, ...]:
    """Return the command of a worker on what `prepare` made, which lies in a directory."""
    paths = (str(files / _DRIVER), str(files / _LIBRARY))
    return tool_worker_command(__name__, wheel_pin(TARGET).version, _emulator(), *paths)


def directory() -> Path:
    """Return where what `prepare` makes is to be kept; another one for every version of it.

    Emits: C030.

    Raises:
        MochiError: The sources are nowhere.
    """
    state = hashlib.sha256(wheel_pin(TARGET).sha256.encode())
    for name, path in c_sources(*_SOURCES).items():
        data = path.read_bytes()
        state.update(f"{name}\0{len(data)}\0".encode() + data)
    return tools_directory() / f"emulated-{TARGET.name}-{state.hexdigest()[:_DIGITS]}"


def prepare(wheel: bytes) -> dict[str, bytes]:
    """Return the files of the tool by name, of the wheel for aarch64-linux.

    They belong in `directory()`; all are to be executable.

    Emits: C030, C033 (another wheel), C034 (the C compiler failed).

    Raises:
        MochiError: The tool cannot be made.
    """
    return {_LIBRARY: take_library(wheel, TARGET), _DRIVER: _build_driver()}


def main(version: str, emulator: str, driver: str, library: str) -> None:
    """Serve as a worker."""
    start = (emulator, "-L", str(_SYSTEM), driver, library, INPUT, OUTPUT)

    def compose(config: EngineConfig, kind: str) -> tuple[str, ...]:
        if config.platform is not TARGET:  # the library would abort
            raise fail("A069", f"this compiles for `{TARGET.name}`, not `{config.platform.name}`")
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


def _problem(host: Platform) -> tuple[str, str]:
    """Return what the tool lacks here, and the command that fixes it; or empty strings."""
    if host.os != TARGET.os:
        return "qemu runs programs under Linux only", ""
    if not _emulator():
        return f"`{_EMULATORS[0]}` is not on PATH", "apt-get install qemu-user-static"
    if not (_SYSTEM / "lib").is_dir():
        return f"there is no C library in `{_SYSTEM}`", f"apt-get install {_PACKAGE}"
    try:
        files = directory()
    except MochiError as error:
        return error.diagnostics[0].message, ""
    if all((files / name).is_file() for name in (_DRIVER, _LIBRARY)):
        return "", ""
    if not shutil.which(_COMPILER):
        return f"`{_COMPILER}` is not on PATH", f"apt-get install {_PACKAGE}"
    return f"it is not installed; `{INSTALL}` fetches it", INSTALL


def _emulator() -> str:
    return next(filter(None, map(shutil.which, _EMULATORS)), "")


def _build_driver() -> bytes:
    with tempfile.TemporaryDirectory(prefix="mochi-cc-") as name:
        for source, path in c_sources(*_SOURCES).items():
            Path(name, source).write_bytes(path.read_bytes())
        command = (_COMPILER, "-O2", _SOURCES[0], "-o", _DRIVER, "-ldl")
        try:
            subprocess.run(command, cwd=name, capture_output=True, check=True)
            return Path(name, _DRIVER).read_bytes()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
        except subprocess.CalledProcessError as error:
            reason = error.stderr.decode(errors="replace").strip()
    raise environment_error(
        "C034",
        f"`{_COMPILER}` could not build `{_SOURCES[0]}`",
        notes=(f"it said: {reason}",),
        help=f"run `apt-get install {_PACKAGE}`",
    )
