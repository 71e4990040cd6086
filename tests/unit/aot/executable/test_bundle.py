"""What a bundle consists of, on which platforms there is one, and how its launcher is compiled."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime

from mochi_rules.aot.executable.bundle import (
    bundle_command,
    bundle_names,
    wheel_library,
    write_bundle,
)
from mochi_rules.aot.executable.payload import find_payload
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import find_platform, host_platform

from .files import ALL, LINUX, MACOS, WINDOWS, make_artifact, make_launcher

LIBRARY = make_launcher(LINUX, kind=3, entry=0)


def test_files_are_named_as_on_the_platform():
    """The library has the name that the launcher looks for beside itself."""
    assert bundle_names(LINUX, "app") == ("app", "libwasmtime.so")
    assert bundle_names(MACOS, "app") == ("app", "libwasmtime.dylib")
    assert bundle_names(WINDOWS, "app") == ("app.exe", "wasmtime.dll")


def test_platforms_without_wheel_are_refused():
    """Every other platform has a bundle."""
    refused = {}
    for platform in ALL:
        try:
            bundle_names(platform, "app")
        except MochiError as error:
            refused[platform.name] = str(error).rpartition(": ")[2]
    reason = "Wasmtime has no wheel for it"
    assert refused == {"riscv64-linux": reason, "s390x-linux": reason}


def test_library_is_where_the_wheel_has_it():
    """The path in the installed wheel is the one of this machine's platform."""
    root = Path(wasmtime.__file__).parent.parent
    assert (root / wheel_library(host_platform())).is_file()
    assert wheel_library(find_platform("aarch64-windows")) == (
        "wasmtime/win32-aarch64/_wasmtime.dll"
    )
    assert wheel_library(find_platform("x86_64-macos")) == (
        "wasmtime/darwin-x86_64/_libwasmtime.dylib"
    )


def test_command_keeps_the_time_out_of_windows_launchers():
    """The linker of MinGW writes the time, unless it is told not to."""
    assert bundle_command(LINUX, ["gcc"], "launcher.c", "out") == [
        "gcc", "-O2", "launcher.c", "-o", "out",
    ]  # fmt: skip
    command = bundle_command(WINDOWS, ["zig", "cc"], "launcher.c", "out.exe")
    assert command[:2] == ["zig", "cc"]
    assert command[-1] == "-Wl,--no-insert-timestamp"


def test_bundle_is_an_executable_and_its_library():
    """The launcher gets the payload; the library is as it was."""
    artifact = make_artifact(LINUX)
    files = write_bundle(LINUX, "app", make_launcher(LINUX), LIBRARY, artifact, b"")
    assert sorted(files) == ["app", "libwasmtime.so"]
    assert find_payload(files["app"]).artifact == artifact
    assert files["libwasmtime.so"] == LIBRARY


def test_library_of_another_platform_is_refused():
    """Both sides are named."""
    library = make_launcher(WINDOWS, flags=0x2022)
    with pytest.raises(MochiError, match=r"A107: the library `libwasmtime.so` is a PE library"):
        write_bundle(LINUX, "app", make_launcher(LINUX), library, make_artifact(LINUX), b"")
