"""The steps of a bundle: its launcher is compiled, its library fetched and laid beside programs."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.bundle import (
    SOURCES,
    bundle_system,
    compiler_arguments,
    wheel_library,
)
from mochi_rules.aot.tools.c_compilers import c_toolchains
from mochi_rules.platforms.native_files import c_sources
from mochi_rules.platforms.platform import host_platform
from mochi_rules.platforms.toolchain import ToolchainType, resolve
from mochi_rules.steps.native.c_compilation import run_c_compiler
from mochi_rules.steps.step import EXECUTABLE_MODE, LAUNCHER, Made, Step
from mochi_rules.steps.tools.tool_choice import chosen
from mochi_rules.ui.text import size_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.toolchain import Toolchain
    from mochi_rules.steps.engines.engines import Engines
    from mochi_rules.steps.tools.tool_choice import Toolchains

LIBRARY = "library"  # what it is called inside a key


def find_compiler(toolchains: Toolchains, platform: Platform) -> Toolchain:
    """Return the C compiler for the launcher of a platform: the user's, or the first that is here.

    Emits: A112 (no bundles for the platform), C002 (no compiler), C011.

    Raises:
        MochiError: There is none.
    """
    bundle_system(platform)
    host = host_platform()
    found = chain(toolchains.user, c_toolchains(platform, host))
    return chosen(resolve(found, ToolchainType.C, platform, host))


def launcher_sources() -> dict[str, Path]:
    """Return the files that are the inputs of `launcher_step`, by name.

    Emits: C030.
    """
    return c_sources(*SOURCES)


def launcher_step(platform: Platform, compiler: Toolchain) -> Step:
    """Compile the launcher in C; the inputs are `launcher_sources`.

    Emits: A112 (no bundles for the platform), C034 (the compiler failed).
    """
    output = LAUNCHER + platform.system.executable_suffix  # or MinGW appends it
    flags = compiler_arguments(platform, output)

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        data = run_c_compiler(engines.subprocesses, compiler, flags, inputs, output, SOURCES[0])
        return Made(data)

    arguments = (f"--platform={platform.name}", f"--compiler={compiler.identity}", *flags)
    return Step("cc", arguments, ("bundle",), LAUNCHER, make, mode=EXECUTABLE_MODE)


def library_step(platform: Platform) -> Step:
    """Take the library out of the pinned wheel, which pip fetches; there are no inputs.

    Emits: A112, C030 to C033.
    """
    from mochi_rules.aot.tools.wheel_download import wheel_pin  # noqa: PLC0415 - of this step only

    bundle_system(platform)
    pin = wheel_pin(platform)

    def make(_engines: Engines, _inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.aot.tools.wheel_download import fetch_wheel, take_library  # noqa: PLC0415

        library = take_library(fetch_wheel(platform), platform)
        return Made(library, size_text(len(library)))

    arguments = (
        f"--version={pin.version}",
        f"--sha256={pin.sha256}",
        f"--file={wheel_library(platform)}",
    )
    return Step("fetch", arguments, ("bundle",), LIBRARY, make)


def place_step() -> Step:
    """Lay a library beside programs; the input is LIBRARY."""
    return Step("copy", (), ("bundle",), LIBRARY, lambda _engines, inputs: Made(inputs[LIBRARY]))
