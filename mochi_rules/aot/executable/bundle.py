"""Bundles: an executable with libwasmtime beside it, for where the Rust launcher cannot be built.

The launcher is C, `toolchains/native/bundle/launcher.c`, and needs a compiler for the target and
nothing else. The library is that of Wasmtime's Python wheel for the target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.binary import LIBRARY, check_binary
from mochi_rules.aot.executable.writer import write_executable
from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mochi_rules.platforms.platform import Platform


@dataclass(frozen=True, slots=True)
class System:
    """What a bundle needs to know of an operating system.

    `library` is the name which the launcher looks for beside itself; `wheel_name` is the library
    in the wheel, and `wheel_system` the first part of its directory there.
    """

    library: str
    wheel_name: str
    wheel_system: str
    flags: tuple[str, ...] = ()


SYSTEMS: Mapping[str, System] = {
    "linux": System("libwasmtime.so", "_libwasmtime.so", "linux"),
    "macos": System("libwasmtime.dylib", "_libwasmtime.dylib", "darwin"),
    # The linker would write the time into the file.
    "windows": System("wasmtime.dll", "_wasmtime.dll", "win32", ("-Wl,--no-insert-timestamp",)),
}


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


def bundle_command(platform: Platform, cc: Sequence[str], source: str, output: str) -> list[str]:
    """Return the command which compiles the launcher with a C compiler for the platform.

    Emits: A112.

    Raises:
        MochiError: There is no bundle for the platform.
    """
    return [*cc, "-O2", source, "-o", output, *bundle_system(platform).flags]


def bundle_names(platform: Platform, name: str) -> tuple[str, str]:
    """Return the files of a bundle: the executable, and the library which belongs beside it.

    Emits: A112.

    Raises:
        MochiError: There is no bundle for the platform.
    """
    return name + platform.executable_suffix, bundle_system(platform).library


def wheel_library(platform: Platform) -> str:
    """Return the path of the library in Wasmtime's wheel for the platform, with slashes.

    Emits: A112.

    Raises:
        MochiError: There is no bundle for the platform.
    """
    system = bundle_system(platform)
    return f"wasmtime/{system.wheel_system}-{platform.cpu}/{system.wheel_name}"


def write_bundle(
    platform: Platform, name: str, launcher: bytes, library: bytes, artifact: bytes, settings: bytes
) -> dict[str, bytes]:
    """Return the files of a bundle by their names; `launcher` is the compiled C program.

    Emits: A112, those of write_executable, and A106 and A107 for the library.

    Raises:
        MochiError: An argument is wrong, or they do not fit together.
    """
    executable_name, library_name = bundle_names(platform, name)
    check_binary(f"library `{library_name}`", platform, LIBRARY, library)
    executable = write_executable(platform, launcher, artifact, settings)
    return {executable_name: executable, library_name: library}
