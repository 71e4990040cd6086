"""Executables of a target: the launcher that is installed, or built, or a bundle's."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.native_files import is_intact
from mochi_rules.platforms.toolchain import resolution_error
from mochi_rules.rules.builders import (
    CONFIGURATION,
    REPORT_SUFFIX,
    file_task,
    tool_node,
    wait_for_check,
)
from mochi_rules.rules.scons.nodes import node_path
from mochi_rules.rules.step_action import StepAction
from mochi_rules.rules.workspace import Task, workspace
from mochi_rules.steps.step import CWASM, LAUNCHER, WASM, executable_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.platforms.platform import Platform
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.rules.call import Call
    from mochi_rules.rules.workspace import Workspace


def add_executable_builder(env: Any) -> None:
    """Give an environment `CwasmExecutable`: from an artifact to an executable."""
    env["BUILDERS"]["CwasmExecutable"] = env.Builder(
        action=StepAction(), emitter=_emit, src_suffix=".cwasm"
    )
    env.AddMethod(_program, "MochiProgram")


def _program(env: Any, target: Any = None, source: Any = None, **options: Any) -> Any:
    """Take a program all the way; return the nodes of all its outputs.

    The executable is among them where there is a launcher.
    """
    wasm = env.MochiWasm(target, source, **options)
    stem = "#" + node_path(wasm[0]).removesuffix(".wasm")
    cwasm = env.Cwasm(f"{stem}.cwasm", wasm, **options)
    nodes = wasm + cwasm + env.CwasmObject(f"{stem}.o", cwasm[:1], **options)
    platform = env[CONFIGURATION].platform
    if workspace().launcher(platform) is not None:
        nodes += env.CwasmExecutable(stem + platform.system.executable_suffix, cwasm[:1], **options)
    return nodes


def _emit(target: list[Any], source: list[Any], env: Any) -> tuple[list[Any], list[Any]]:
    """Make the task of an executable.

    Emits: A100 to A102, C002 (no launcher).
    """
    space = workspace()
    configuration: Configuration = env[CONFIGURATION]
    node, artifact = target[0], source[0]
    node.set_nocache(1)

    def make() -> Any:
        launcher = _launcher(space, env, configuration)
        if launcher is None:
            resolution = space.settings.toolchains.launcher(configuration.platform, may_build=False)
            raise MochiError(resolution_error(resolution))
        settings = configuration.launch(space.engine_settings(env))
        step = executable_step(configuration.platform, settings)
        inputs = {CWASM: artifact, LAUNCHER: launcher}

        def finish() -> None:
            """Add what is known only when the artifact is declared too."""
            if artifact.sources:
                inputs[WASM] = artifact.sources[0]
                env.Depends(node, inputs[WASM])
            wait_for_check(env, node, artifact)

        space.after_reading(finish)
        space.tasks[node] = file_task(space, step, node, inputs)
        return list(inputs.values())

    return target, space.guard(make)


_FOLDER = "_bundle"  # of an output directory: what all its bundles share


def declare_executable(call: Call, configuration: Configuration, inputs: Mapping[str, Any]) -> None:
    """Attach a checked artifact to the launcher, where there is one.

    `inputs` are CWASM, and WASM where there is one.

    Emits: A112, C002, C011.
    """
    platform = configuration.platform
    env = call.environment(configuration)
    with call.at("engine"):
        settings = configuration.launch(call.settings)
    is_bundle = call.space.settings.link == "bundle"
    report = call.target.outputs[configuration.name][".cwasm" + REPORT_SUFFIX]
    if not call.space.is_building:
        env.Clean(report, _files(call, configuration, is_bundle=is_bundle))
        return
    find = _bundle_launcher if is_bundle else _launcher
    launcher = find(call.space, env, configuration)
    if launcher is None:
        return
    node = call.output(configuration, platform.system.executable_suffix)
    inputs = {**inputs, LAUNCHER: launcher}
    step = executable_step(platform, settings)
    call.space.tasks[node] = file_task(call.space, step, node, inputs)
    env.MochiExecutable(node, [*inputs.values(), report])
    if is_bundle:
        folder = posixpath.dirname(node_path(node))
        env.Requires(node, _library_beside(call.space, env, configuration, folder))


def _files(call: Call, configuration: Configuration, *, is_bundle: bool) -> list[str]:
    """Return what a build made, which needs no tools to be removed.

    Only what is a file: a folder of this name is another target's.
    """
    system = configuration.platform.system
    top = f"{call.space.settings.build}/{configuration.name}"
    folder = posixpath.join(top, call.label.package)
    paths = [posixpath.join(folder, call.label.name + system.executable_suffix)]
    if is_bundle:
        shared = (LAUNCHER + system.executable_suffix, system.library)
        paths += [posixpath.join(folder, system.library)]
        paths += [f"{top}/{_FOLDER}/{name}" for name in shared]
    return [f"#{path}" for path in paths if (call.space.root / path).is_file()]


def _launcher(space: Workspace, env: Any, configuration: Configuration) -> Any:
    """Return the node of our own launcher, or None where there is none."""
    toolchain = space.launcher(configuration.platform)
    if toolchain is None:
        return None
    if toolchain.recipe and not is_intact(toolchain.recipe.path):
        return tool_node(space, env, toolchain.recipe)
    return env.fs.File(toolchain.command[0])


def _bundle_launcher(space: Workspace, env: Any, configuration: Configuration) -> Any:
    """Return the node of the launcher in C."""
    from mochi_rules.steps.native.bundle import (  # noqa: PLC0415 - of bundles only
        find_compiler,
        launcher_sources,
        launcher_step,
    )

    platform: Platform = configuration.platform
    node = _shared(space, env, configuration, LAUNCHER + platform.system.executable_suffix)
    if node not in space.tasks:
        step = launcher_step(platform, find_compiler(space.settings.toolchains, platform))
        inputs = {name: env.fs.File(str(path)) for name, path in launcher_sources().items()}
        space.tasks[node] = file_task(space, step, node, inputs)
        env.MochiExecutable(node, list(inputs.values()))
    return node


def _library_beside(space: Workspace, env: Any, configuration: Configuration, folder: str) -> Any:
    """Return the node of the library in a folder: all programs there share it."""
    from mochi_rules.aot.executable.bundle import bundle_system  # noqa: PLC0415 - of bundles
    from mochi_rules.steps.native.bundle import LIBRARY, library_step, place_step  # noqa: PLC0415

    platform = configuration.platform
    name = bundle_system(platform).library
    fetched = _shared(space, env, configuration, name)
    if fetched not in space.tasks:
        space.tasks[fetched] = Task(library_step(platform), space.shown(fetched), dict)
        env.MochiExecutable(fetched, [])
    node = env.fs.File(f"#{folder}/{name}")
    if node not in space.tasks:
        space.tasks[node] = file_task(space, place_step(), node, {LIBRARY: fetched})
        env.MochiExecutable(node, fetched)
    return node


def _shared(space: Workspace, env: Any, configuration: Configuration, name: str) -> Any:
    return env.fs.File(f"#{space.settings.build}/{configuration.name}/{_FOLDER}/{name}")
