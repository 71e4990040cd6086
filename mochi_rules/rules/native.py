"""The native backend: CLIF and objects, executables without Wasmtime, and libraries for C."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import replace
from mochi_rules.platforms.native_files import is_intact
from mochi_rules.rules.builders import file_task, tool_node
from mochi_rules.rules.stamping import stamped
from mochi_rules.rules.workspace import Task
from mochi_rules.steps.native.c_library import (
    HEADER,
    SOURCE,
    exports_step,
    header_step,
    library_step,
    source_step,
)
from mochi_rules.steps.native.native_program import (
    CLIF,
    HOST,
    clif_step,
    host_sources,
    host_step,
    link_sources,
    link_step,
    native_config,
    native_object_step,
)
from mochi_rules.steps.step import OBJECT
from mochi_rules.steps.tools.tool_choice import chosen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mochi_rules.aot.native.client import NativeConfig
    from mochi_rules.platforms.toolchain import Toolchain
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.rules.call import Call
    from mochi_rules.rules.sources import Sources
    from mochi_rules.steps.step import Step

LIBRARY_PREFIX = "lib"
_FOLDER = "_native"  # of an output directory: what all its programs share


def declare_native(call: Call, configuration: Configuration, sources: Sources) -> None:
    """Declare what a program becomes without Wasmtime.

    Emits: A120 (limits), C002 (no linker, or nothing to compile with), C011.
    """
    space, env = call.space, call.environment(configuration)
    with call.at("engine"):
        config = native_config(_made_for(call, configuration), call.settings)
    platform = configuration.platform
    stamp = call.values["stamp"]
    data = _object(call, configuration, config, sources, stamp=stamp)[1]
    linked = stamped(call, configuration, OBJECT, data)
    node = call.output(configuration, platform.system.executable_suffix)
    if not space.is_building:  # a clean needs no tools
        env.MochiExecutable(node, linked)
        env.Clean(node, _host_node(call, configuration))
        return
    compiler = chosen(space.settings.toolchains.linker(platform))
    host = _host(call, configuration, compiler)
    inputs = {OBJECT: linked, HOST: host, **_files(call, link_sources(platform))}
    space.tasks[node] = file_task(space, link_step(config, compiler), node, inputs)
    env.MochiExecutable(node, list(inputs.values()))


def declare_c_library(call: Call, configuration: Configuration, sources: Sources) -> Any:
    """Declare a static library with a header; return the library's node.

    Emits: as `declare_native`.
    """
    space = call.space
    name = call.label.name
    settings = space.engine_settings(call.env)
    config = native_config(_made_for(call, configuration), settings, is_library=True)
    platform = configuration.platform
    clif, data = _object(call, configuration, config, sources, exports=sources.roots)
    header = _declare(call, configuration, ".h", header_step(name), {CLIF: clif})
    source = _declare(call, configuration, ".exports.c", source_step(name), {CLIF: clif})
    step = source_step(name)  # of a clean, which needs no tools
    if space.is_building:
        step = exports_step(platform, chosen(space.settings.toolchains.linker(platform)))
    inputs = {**_files(call, host_sources()), HEADER: header, SOURCE: source}
    host = _declare(call, configuration, ".exports.o", step, inputs)
    inputs = {OBJECT: data, HOST: host}
    step = library_step(platform)
    return _declare(call, configuration, ".a", step, inputs, LIBRARY_PREFIX)


def _made_for(call: Call, configuration: Configuration) -> Configuration:
    level = call.values["optimize"]
    return configuration if level is None else replace(configuration, optimize=level)


def _object(
    call: Call,
    configuration: Configuration,
    config: NativeConfig,
    sources: Sources,
    *,
    stamp: bool = False,
    exports: tuple[str, ...] = (),
) -> tuple[Any, Any]:
    """Declare the CLIF of a program and its object; return both nodes."""
    space, env = call.space, call.environment(configuration)
    clif = call.output(configuration, ".clif")
    main = sources.roots[0]
    optimize = _made_for(call, configuration).optimize
    step = clif_step(main, optimize=optimize, stamp=stamp, exports=exports)
    space.tasks[clif] = Task(step, space.shown(clif), sources.read, sources.scan)
    env.MochiWasm(clif, [sources.nodes[root] for root in sources.roots])
    step = native_object_step(config, f"{call.label.name}.mochi")
    data = _declare(call, configuration, ".o", step, {CLIF: clif})
    if space.is_building:
        tool = space.settings.toolchains.clif_tool()
        if tool.recipe and not is_intact(tool.recipe.path):
            env.Requires(data, tool_node(space, env, tool.recipe))
    return clif, data


def _declare(
    call: Call,
    configuration: Configuration,
    suffix: str,
    step: Step,
    inputs: Mapping[str, Any],
    prefix: str = "",
) -> Any:
    """Declare an output that a step makes of other nodes, and return its node."""
    node = call.output(configuration, suffix, prefix)
    call.space.tasks[node] = file_task(call.space, step, node, inputs)
    call.environment(configuration).MochiExecutable(node, list(inputs.values()))
    return node


def _host(call: Call, configuration: Configuration, compiler: Toolchain) -> Any:
    """Return the node of what programs import: all of a configuration share it."""
    space, env = call.space, call.environment(configuration)
    node = _host_node(call, configuration)
    if node not in space.tasks:
        step = host_step(configuration.platform, compiler)
        inputs = _files(call, host_sources())
        space.tasks[node] = file_task(space, step, node, inputs)
        env.MochiExecutable(node, list(inputs.values()))
    return node


def _files(call: Call, paths: Mapping[str, Path]) -> dict[str, Any]:
    return {name: call.env.fs.File(str(path)) for name, path in paths.items()}


def _host_node(call: Call, configuration: Configuration) -> Any:
    top = f"{call.space.settings.build}/{configuration.name}"
    return call.env.fs.File(f"#{top}/{_FOLDER}/{HOST}")
