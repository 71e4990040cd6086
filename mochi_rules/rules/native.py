"""The native backend: CLIF, object and executable without Wasmtime."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mochi_rules.platforms.native_files import is_intact
from mochi_rules.rules.builders import file_task, tool_node
from mochi_rules.rules.stamping import stamped
from mochi_rules.rules.workspace import Task
from mochi_rules.steps.native import (
    CLIF,
    HOST,
    clif_step,
    host_sources,
    host_step,
    link_step,
    native_config,
    native_object_step,
)
from mochi_rules.steps.step import OBJECT
from mochi_rules.steps.tools.tool_choice import chosen

if TYPE_CHECKING:
    from mochi_rules.platforms.toolchain import Toolchain
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.rules.call import Call
    from mochi_rules.rules.sources import Sources

_FOLDER = "_native"  # of an output directory: what all its programs share


def declare_native(call: Call, configuration: Configuration, sources: Sources) -> None:
    """Declare what a program becomes without Wasmtime.

    Emits: A120 (limits), C002 (no linker, or nothing to compile with), C011.
    """
    space, env = call.space, call.environment(configuration)
    level = call.values["optimize"]
    made_for = configuration if level is None else replace(configuration, optimize=level)
    config = native_config(made_for, call.settings)
    platform = configuration.platform
    clif = call.output(configuration, ".clif")
    main = sources.roots[0]
    step = clif_step(main, optimize=made_for.optimize, stamp=call.values["stamp"])
    space.tasks[clif] = Task(step, space.shown(clif), sources.read, sources.scan)
    env.MochiWasm(clif, sources.nodes[main])
    data = call.output(configuration, ".o")
    object_step = native_object_step(config, f"{call.label.name}.mochi")
    space.tasks[data] = file_task(space, object_step, data, {CLIF: clif})
    env.MochiExecutable(data, clif)
    linked = stamped(call, configuration, OBJECT, data)
    node = call.output(configuration, platform.system.executable_suffix)
    if not space.is_building:  # a clean needs no tools
        env.MochiExecutable(node, linked)
        env.Clean(node, _host_node(call, configuration))
        return
    tool = space.settings.toolchains.clif_tool()
    if tool.recipe and not is_intact(tool.recipe.path):
        env.Requires(data, tool_node(space, env, tool.recipe))
    compiler = chosen(space.settings.toolchains.linker(platform))
    inputs = {OBJECT: linked, HOST: _host(call, configuration, compiler)}
    space.tasks[node] = file_task(space, link_step(config, compiler), node, inputs)
    env.MochiExecutable(node, list(inputs.values()))


def _host(call: Call, configuration: Configuration, compiler: Toolchain) -> Any:
    """Return the node of what programs import: all of a configuration share it."""
    space, env = call.space, call.environment(configuration)
    node = _host_node(call, configuration)
    if node not in space.tasks:
        step = host_step(configuration.platform, compiler)
        inputs = {name: env.fs.File(str(path)) for name, path in host_sources().items()}
        space.tasks[node] = file_task(space, step, node, inputs)
        env.MochiExecutable(node, list(inputs.values()))
    return node


def _host_node(call: Call, configuration: Configuration) -> Any:
    top = f"{call.space.settings.build}/{configuration.name}"
    return call.env.fs.File(f"#{top}/{_FOLDER}/{HOST}")
