"""What a bundle consists of, on which platforms there is one, and how its launcher is compiled."""

from __future__ import annotations

from pathlib import Path

import wasmtime

from mochi_rules.aot.executable.bundle import (
    bundle_system,
    compiler_arguments,
    wheel_library,
)
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.native_files import native_directory
from mochi_rules.platforms.platform import find_platform, host_platform

from .files import ALL, LINUX, MACOS, WINDOWS


def test_library_is_named_as_on_the_platform():
    """It has the name that the launcher looks for beside itself."""
    names = [bundle_system(platform).library for platform in (LINUX, MACOS, WINDOWS)]
    assert names == ["libwasmtime.so", "libwasmtime.dylib", "wasmtime.dll"]
    text = native_directory().joinpath("bundle", "system.h").read_text("utf-8")
    assert all(f'#define LIBRARY "{name}"' in text for name in names)


def test_platforms_without_wheel_are_refused():
    """Every other platform has a bundle."""
    refused = {}
    for platform in ALL:
        try:
            bundle_system(platform)
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


def test_compiler_gets_what_to_make():
    """Nothing for debuggers, and the libraries of older systems; on Windows there are none."""
    assert compiler_arguments(LINUX, "out") == (
        "-O2", "-s", "launcher.c", "-o", "out", "-pthread", "-ldl",
    )  # fmt: skip
    assert compiler_arguments(WINDOWS, "out.exe")[-1] == "out.exe"
