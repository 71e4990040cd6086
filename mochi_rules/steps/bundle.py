"""The steps of a bundle: its launcher is compiled, its library fetched and laid beside programs."""

from __future__ import annotations

import tempfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.bundle import (
    SOURCES,
    bundle_system,
    compiler_arguments,
    wheel_library,
)
from mochi_rules.aot.tools.c_compilers import c_toolchains
from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.files import reason
from mochi_rules.platforms.native import c_sources
from mochi_rules.platforms.platform import host_platform
from mochi_rules.platforms.toolchain import ToolchainType, resolve
from mochi_rules.steps.step import EXECUTABLE_MODE, LAUNCHER, Made, Step
from mochi_rules.steps.tools.tool_choice import chosen
from mochi_rules.ui.text import size_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.toolchain import Toolchain
    from mochi_rules.steps.engines import Engines
    from mochi_rules.steps.subprocesses import Subprocesses
    from mochi_rules.steps.tools.tool_choice import Toolchains

LIBRARY = "library"  # what it is called inside a key

_SHOWN_LINES = 12


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
        return Made(_compile(compiler, flags, output, inputs, engines.subprocesses))

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


def _compile(
    compiler: Toolchain,
    flags: tuple[str, ...],
    output: str,
    sources: Mapping[str, bytes],
    subprocesses: Subprocesses,
) -> bytes:
    with tempfile.TemporaryDirectory(prefix="mochi-cc-") as folder:
        root = Path(folder)
        for source, data in sources.items():
            (root / source).write_bytes(data)
        try:
            ran = subprocesses.tool((*compiler.command, *flags), root, {})
            if ran.status == 0:
                return (root / output).read_bytes()
            said = ran.stderr.decode("utf-8", "replace").strip()
        except OSError as error:
            said = reason(error)
    lines = said.splitlines()[:_SHOWN_LINES]
    notes = (
        ("\n".join([f"{compiler.name} said", *(f"    {line}" for line in lines)]),) if lines else ()
    )
    help_ = "this requires a C compiler and the headers of the C library"
    raise environment_error(
        "C034", f"`{compiler.name}` could not build `{SOURCES[0]}`", notes=notes, help=help_
    )
