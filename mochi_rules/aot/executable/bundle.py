"""Bundles: an executable with libwasmtime beside it, for where the Rust launcher cannot be built.

The launcher is C, `toolchains/native/bundle/launcher.c`, and needs a compiler for the target and
nothing else. The library is that of Wasmtime's Python wheel for the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import listing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.platforms.platform import Platform


@dataclass(frozen=True, slots=True)
class System:
    """What a bundle needs to know of an operating system.

    `library` is the name which the launcher looks for beside itself; `wheel_name` is the library
    in the wheel, and `wheel_system` the first part of its directory there. `libraries` are what
    the launcher is linked with.
    """

    library: str
    wheel_name: str
    wheel_system: str
    libraries: tuple[str, ...] = ()


SYSTEMS: Mapping[str, System] = {
    # Before glibc 2.34 these two were libraries of their own.
    "linux": System("libwasmtime.so", "_libwasmtime.so", "linux", ("-pthread", "-ldl")),
    "macos": System("libwasmtime.dylib", "_libwasmtime.dylib", "darwin"),
    "windows": System("wasmtime.dll", "_wasmtime.dll", "win32"),
}

# Of the launcher; the first is compiled.
SOURCES = ("launcher.c", "lines.h", "sha256.h", "wasmtime48.h")


def bundle_system(platform: Platform) -> System:
    """Return the row of a platform.

    Emits: A112.

    Raises:
        MochiError: There is no bundle for the platform.
    """
    if platform.wheel_tag:
        return SYSTEMS[platform.os]
    raise fail(
        "A112",
        f"there is no bundle for `{platform.name}`: Wasmtime has no wheel for it",
        notes=(f"there are bundles for {listing(SYSTEMS)} on x86_64 and aarch64",),
        help="leave out `link=bundle`",
    )


def compiler_arguments(platform: Platform, output: str) -> tuple[str, ...]:
    """Return what a C compiler is told, in a directory with SOURCES, to make the launcher.

    Nothing is kept for debuggers: that would hold the name of the directory.

    Emits: A112.

    Raises:
        MochiError: There is no bundle for the platform.
    """
    return ("-O2", "-s", SOURCES[0], "-o", output, *bundle_system(platform).libraries)


def wheel_library(platform: Platform) -> str:
    """Return the path of the library in Wasmtime's wheel for the platform, with slashes.

    Emits: A112.

    Raises:
        MochiError: There is no bundle for the platform.
    """
    system = bundle_system(platform)
    return f"wasmtime/{system.wheel_system}-{platform.cpu}/{system.wheel_name}"
