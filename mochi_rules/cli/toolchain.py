"""`mochi-rules toolchain`: what compiles for which platform, and building what is missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import MochiError, fail
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.cli.cache_root import cache_root
from mochi_rules.cli.options import CACHE, COLOR, TARGET, Verb
from mochi_rules.cli.session import open_pipeline
from mochi_rules.cli.step_console import install, open_console
from mochi_rules.cli.usage import table
from mochi_rules.platforms.platform import PLATFORMS, host_platform
from mochi_rules.platforms.toolchain import resolution_error, resolve, what_lacks
from mochi_rules.project.configuration import find_configurations
from mochi_rules.steps.engines.lazy_engines import LazyEngines
from mochi_rules.steps.outputs import write_output
from mochi_rules.steps.step import EXECUTABLE_MODE
from mochi_rules.steps.tools.tool_choice import Toolchains, is_built, pending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.cli.options import Parsed
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.toolchain import Resolution, Toolchain

_TOOLS = ("aot", "native", "launcher", "emulated")
_WAYS = ("list", "install", "pack")


def toolchain(parsed: Parsed) -> int:
    """Show the toolchains, install one, or pack those that are installed.

    Emits: B062.
    """
    way, *tools = parsed.operands
    if way not in _WAYS:
        near = did_you_mean(way, _WAYS)
        help_ = near or "write `mochi-rules toolchain list`"
        raise fail("B062", f"`mochi-rules toolchain` has no action `{way}`", help=help_)
    if way == "list":
        return _list()
    if way == "pack":
        return _pack(Path(tools[0] if tools else "."))
    if len(tools) != 1 or tools[0] not in _TOOLS:
        near = did_you_mean(tools[0], _TOOLS) if tools else ""
        help_ = near or "write `mochi-rules toolchain install aot`"
        raise fail("B062", f"the tool to install must be one of {listing(_TOOLS)}", help=help_)
    if tools[0] == "emulated":
        from mochi_rules.aot.tools.emulated import emulated_platforms  # noqa: PLC0415 - of this tool only

        for target in emulated_platforms(host_platform()):
            _install_emulated(target)
        return 0
    return _install(parsed, tools[0])


def _pack(folder: Path) -> int:
    """Write the tools that are installed into wheels.

    Emits: B014, R005, R023, R036.
    """
    from mochi_rules.release.publish import publish  # noqa: PLC0415 - of this action only
    from mochi_rules.release.revision import release_time  # noqa: PLC0415
    from mochi_rules.release.tool_wheels import tool_wheels  # noqa: PLC0415

    wheels = tool_wheels(release_time(None, os.environ))
    publish(folder, wheels)
    sys.stdout.write("".join(f"{folder / name}\n" for name in wheels))
    return 0


def _install(parsed: Parsed, tool: str) -> int:
    root = cache_root(parsed)
    resolutions = list(_wanted(parsed, tool))
    steps = sum(pending(resolution) is not None for resolution in resolutions)
    with open_console(steps) as console, open_pipeline(root, LazyEngines()) as pipeline:
        for resolution in resolutions:
            install(resolution, pipeline, console)
            assert resolution.chosen is not None
            path = resolution.chosen.command[0]
            console.say(f"{tool} for {resolution.target.name} is installed: {path}")
    return 0


def _install_emulated(target: Platform) -> None:
    """Fetch the wheel for another machine, and build what calls it.

    Emits: B014, C002 (qemu or the C compiler is missing), C030 to C034.
    """
    from mochi_rules.aot.tools import emulated  # noqa: PLC0415 - of this tool only
    from mochi_rules.aot.tools.wheel_download import fetch_wheel  # noqa: PLC0415

    host, folder = host_platform(), emulated.directory(target)
    tool = emulated.emulated_toolchain(target, host)
    if tool.missing and tool.remedy != emulated.INSTALL:
        raise MochiError(resolution_error(resolve([tool], tool.type, target, host)))
    if tool.missing:
        for name, data in emulated.prepare(target, fetch_wheel(target)).items():
            write_output(folder / name, data, str(folder / name), EXECUTABLE_MODE)
    sys.stderr.write(f"emulated wheel for {target.name} is installed: {folder}\n")


def _wanted(parsed: Parsed, tool: str) -> Iterator[Resolution]:
    toolchains = Toolchains()
    if tool == "aot":
        yield toolchains.worker(host_platform())
        return
    if tool == "native":
        yield toolchains.clif()
        return
    for configuration in find_configurations(parsed.get("target")):
        yield toolchains.launcher(configuration.platform, may_build=True)


def _list() -> int:
    toolchains = Toolchains()
    clif = toolchains.clif()
    native = [clif.chosen] if clif.chosen else [item.toolchain for item in clif.rejected]
    tools = (*toolchains.all(), *native)
    rows = [(item.name, f"{item.type.value}, {_state(item)}") for item in tools]
    sys.stdout.write("toolchains\n" + table(rows) + "\nplatforms\n")
    sys.stdout.write(table((row.name, _answer(toolchains, row.name)) for row in PLATFORMS))
    return 0


def _state(tool: Toolchain) -> str:
    if tool.missing:
        return tool.missing
    if is_built(tool):
        return f"{tool.origin}: ready"
    assert tool.recipe is not None
    return f"not built yet: cargo takes about {tool.recipe.minutes} minutes on two cores"


def _answer(toolchains: Toolchains, name: str) -> str:
    platform = next(row for row in PLATFORMS if row.name == name)
    launcher = toolchains.launcher(platform, may_build=True)
    linker = toolchains.linker(platform)
    parts = {"aot": toolchains.aot(platform), "launcher": launcher, "linker": linker}
    return "; ".join(f"{kind}: {_chosen(found)}" for kind, found in parts.items())


def _chosen(resolution: Resolution) -> str:
    if resolution.chosen:
        state = "" if is_built(resolution.chosen) else ", not built yet"
        return f"{resolution.chosen.name} {resolution.chosen.origin}{state}"
    lacking = what_lacks(resolution)
    return f"none ({lacking.reason if lacking else 'no tool compiles for it'})"


VERB = Verb(
    "toolchain",
    "toolchain list|install|pack [aot|native|launcher|emulated|DIR] [OPTIONS]",
    "List the tools that compile ahead of time, and the one taken for each platform; or build one: "
    "the compiler for all platforms, or that of executables without Wasmtime; the launcher of "
    "executables for one; or, without Rust, the wheel of another Linux machine under qemu. `pack` "
    "writes the tools that are installed into Python wheels, so that other machines need no Rust.",
    toolchain,
    (TARGET, CACHE, COLOR),
    operands=(1, 2),
)
