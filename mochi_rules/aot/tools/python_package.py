"""Wasmtime's Python wheel as a toolchain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.engine_options import WASMTIME_MAJOR
from mochi_rules.aot.wheel import INSTALL, WHEEL, wheel_version, worker_command
from mochi_rules.platforms.toolchain import Toolchain, ToolchainType

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform


def wheel_toolchain(host: Platform) -> Toolchain:
    """Return the wheel as a toolchain: it compiles for the platform it runs on, no other."""
    version = wheel_version()
    missing = ""
    if not version:
        missing = f"the Python package `wasmtime` is not installed: {INSTALL}"
    elif version.partition(".")[0] != str(WASMTIME_MAJOR):
        missing = f"the Python package `wasmtime` is {version}: {INSTALL}"
    return Toolchain(
        ToolchainType.AOT,
        WHEEL,
        f"wasmtime {version or WASMTIME_MAJOR} for Python",
        exec=host.constraints,
        target=host.constraints,
        missing=missing,
        # Every tool of one version of Wasmtime makes the same bytes: the tool does not enter.
        identity=f"wasmtime {version}",
        command=() if missing else worker_command(),
    )
