"""Bundles: an executable with libwasmtime beside it, for where the Rust launcher cannot be built.

The launcher is C, `toolchains/native/bundle/launcher.c`, and needs a compiler for the target and
nothing else. The library is that of Wasmtime's Python wheel for the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import listing
from mochi_rules.platforms.platform import PLATFORMS

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.system import System

# Of the launcher; the first is compiled.
SOURCES = (
    "launcher.c", "app.h", "lines.h", "message.h", "sha256.h", "system.h", "wasmtime48.h",
)  # fmt: skip


def bundle_system(platform: Platform) -> System:
    """Return the operating system of a platform that has bundles.

    Emits: A112.

    Raises:
        MochiError: There is no bundle for the platform.
    """
    if platform.wheel_tag:
        return platform.system
    raise fail(
        "A112",
        f"there is no bundle for `{platform.name}`: Wasmtime has no wheel for it",
        notes=(f"there are bundles for {listing(row.name for row in PLATFORMS if row.wheel_tag)}",),
        help="leave out `link=bundle`",
    )


def compiler_arguments(platform: Platform, output: str) -> tuple[str, ...]:
    """Return the arguments of a C compiler that make the launcher, in a directory with SOURCES.

    Nothing is kept for debuggers: that would hold the name of the directory.

    Emits: A112.

    Raises:
        MochiError: There is no bundle for the platform.
    """
    return ("-O2", "-s", SOURCES[0], "-o", output, *bundle_system(platform).c_libraries)


def wheel_library(platform: Platform) -> str:
    """Return the path of the library in Wasmtime's wheel for the platform, with slashes.

    Emits: A112.

    Raises:
        MochiError: There is no bundle for the platform.
    """
    system = bundle_system(platform)
    return f"wasmtime/{system.wheel_name}-{platform.cpu}/{system.wheel_library}"
