"""The builders below the rules, for people who think in SCons.

`env.MochiWasm("app.wasm", "app.mochi")`, `env.Cwasm("app.cwasm", "app.wasm")`,
`env.CwasmObject("app.o", "app.cwasm")`, `env.CwasmExecutable("app", "app.cwasm")`, and
`env.MochiProgram("app", "app.mochi")` for all of them; the last two are in `executables`.
Each reads the configuration of its environment, and the variables MOCHI_ENGINE (settings of the
engine) and MOCHI_SYMBOL.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.events import Outcome, StepFinished
from mochi_rules.base.files import is_special
from mochi_rules.platforms.native_files import native_sources
from mochi_rules.rules.scons.nodes import check_exists, node_path, source_name
from mochi_rules.rules.sources import Sources
from mochi_rules.rules.step_action import StepAction, read_input, read_shared
from mochi_rules.rules.workspace import Task, workspace
from mochi_rules.steps.step import (
    CWASM,
    LAUNCHER,
    WASM,
    aot_step,
    check_step,
    import_input,
    import_step,
    mochi_step,
    object_step,
    recipe_step,
    symbol_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.platforms.toolchain import Recipe
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.rules.workspace import Workspace
    from mochi_rules.steps.step import Step

CONFIGURATION, SYMBOL = "MOCHI_CONFIGURATION", "MOCHI_SYMBOL"
REPORT_SUFFIX = ".json"  # behind the name of the artifact
LIBRARY_SUFFIX = ".mochi.json"  # behind the name of the library


def add_builders(env: Any) -> None:
    """Give an environment the builders."""
    action = StepAction()
    scanner = env.Scanner(function=scan, name="mochi", node_class=None)

    def builder(emitter: Any, suffix: str, src_suffix: str, **options: Any) -> Any:
        return env.Builder(
            action=action, emitter=emitter, suffix=suffix, src_suffix=src_suffix, **options
        )

    env["BUILDERS"]["MochiWasm"] = builder(_emit_wasm, ".wasm", ".mochi", target_scanner=scanner)
    env["BUILDERS"]["MochiWasmImport"] = builder(
        _emit_import, ".wasm", ".wasm", target_scanner=scanner
    )
    env["BUILDERS"]["MochiCwasm"] = builder(_emit_cwasm, ".cwasm", ".wasm", single_source=True)
    env["BUILDERS"]["MochiReport"] = builder(
        _emit_report, ".cwasm.json", ".cwasm", target_scanner=scanner
    )
    env["BUILDERS"]["MochiExecutable"] = env.Builder(action=action, emitter=_emit_nothing)
    env["BUILDERS"]["CwasmObject"] = builder(_emit_object, ".o", ".cwasm")
    env.AddMethod(_cwasm, "Cwasm")


def wasm_task(
    space: Workspace,
    sources: Sources,
    node: Any,
    configuration: Configuration,
    config: EngineConfig,
    **options: Any,
) -> Task:
    """Return the task that compiles a program, for a debugger where `config` says so.

    `options` are others of `mochi_step`.
    """
    step = mochi_step(
        sources.roots[0],
        debug_names=configuration.mode.debug_names,
        debug_info=config.debug_info,
        optimize=configuration.optimize,
        **options,
    )
    return Task(step, space.shown(node), sources.read, sources.scan)


def tool_node(space: Workspace, env: Any, recipe: Recipe) -> Any:
    """Return the node of a tool that has to be built, for this user, and not for this workspace."""
    node = env.fs.File(str(recipe.path))
    if node not in space.tasks:
        minutes = f"about {recipe.minutes} minutes on two cores, once"
        name = f"{recipe.program} for {recipe.triple}"
        space.tasks[node] = Task(
            recipe_step(recipe, partial(space.console.progressed, name)),
            name,
            partial(native_sources, recipe.tree),
            notice=f"note: cargo builds `{recipe.program}` for {recipe.triple}: {minutes}",
        )
        env.MochiExecutable(node, [])
        env.AlwaysBuild(node)  # there may be a damaged one
        env.Precious(node)
        env.NoClean(node)
    return node


def file_task(space: Workspace, step: Step, node: Any, inputs: Mapping[str, Any]) -> Task:
    """Return the task of a step whose inputs are files: nodes by their names in the key."""

    def read() -> dict[str, bytes]:
        return {
            name: read_shared(space, source) if name == LAUNCHER else read_input(space, source)
            for name, source in inputs.items()
        }

    def scan() -> list[Any]:
        for source in inputs.values():
            check_exists(source)
        return []

    return Task(step, space.shown(node), read, scan, inputs=inputs)


def report_task(
    space: Workspace, config: EngineConfig, inputs: Mapping[str, Any], sha256: str = ""
) -> Task:
    """Return the task that checks an artifact; it is called by the name of the artifact."""
    artifact = inputs[CWASM]
    return file_task(space, check_step(config, node_path(artifact), sha256), artifact, inputs)


def _cwasm(env: Any, target: Any = None, source: Any = None, **options: Any) -> Any:
    """Compile ahead of time, and check the artifact; return both nodes."""
    nodes = env.MochiCwasm(target, source, **options)
    wasm = nodes[0].sources[0]
    return nodes + env.MochiReport(_report_node(env, nodes[0]), [nodes[0], wasm], **options)


def scan(node: Any, *_context: Any) -> list[Any]:
    """Be asked by SCons what else a target depends on; also refuses what cannot be built."""
    space = workspace()
    task = space.tasks.get(node)
    if task is None or task.scan is None:
        return []
    try:
        return task.scan()
    except Exception as error:  # noqa: BLE001 - SCons would print a traceback
        # A step that cannot even begin.
        space.console.tally.count(StepFinished(task.step.verb, task.name, Outcome.FAILED))
        raise space.step_error(error, node) from None


_Emitter = tuple[list[Any], list[Any]]


def _emit(target: list[Any], source: list[Any], make: Callable[[Workspace, Any], Task]) -> _Emitter:
    """Register the task of a target, unless a rule has done so."""
    space = workspace()
    node = target[0]
    _claim(node)
    if node not in space.tasks:
        space.tasks[node] = space.guard(lambda: make(space, node))
    return target, source


def _emit_nothing(target: list[Any], source: list[Any], env: Any) -> _Emitter:  # noqa: ARG001
    """Leave the nodes as they are: who calls has made the task."""
    _claim(target[0])
    return target, source


def _claim(node: Any) -> None:
    """Keep from SCons what we do better with an output: caching, and replacing what is there."""
    node.set_nocache(1)  # our own cache has it, verified
    if is_special(Path(node.get_abspath())):
        node.set_precious(1)  # or SCons removes the symlink or the device before it builds


def _emit_wasm(target: list[Any], source: list[Any], env: Any) -> _Emitter:
    def make(space: Workspace, node: Any) -> Task:
        if not source:
            raise fail(
                "B006", f"`{node_path(node)}` needs a source", help='write `source = "app.mochi"`'
            )
        nodes = {source_name(item): item for item in source}
        main = source_name(source[0])
        sources = Sources((main,), nodes, space.sources, space.fs, space.universe)
        return wasm_task(space, sources, node, env[CONFIGURATION], _engine(env))

    return _emit(target, source, make)


def _emit_import(target: list[Any], source: list[Any], env: Any) -> _Emitter:  # noqa: ARG001
    def make(space: Workspace, node: Any) -> Task:
        name = node_path(source[0])
        return file_task(space, import_step(name), node, {import_input(name): source[0]})

    return _emit(target, source, make)


def _emit_cwasm(target: list[Any], source: list[Any], env: Any) -> _Emitter:
    def make(space: Workspace, node: Any) -> Task:
        config = _engine(env)
        if recipe := space.require_aot(config.platform):
            env.Requires(node, tool_node(space, env, recipe))
        step = aot_step(config, node_path(source[0]))
        return file_task(space, step, node, {WASM: source[0]})

    return _emit(target, source, make)


def _emit_report(target: list[Any], source: list[Any], env: Any) -> _Emitter:
    def make(space: Workspace, _node: Any) -> Task:
        inputs = dict(zip((CWASM, WASM), source, strict=False))
        return report_task(space, _engine(env), inputs)

    return _emit(target, source, make)


def _emit_object(target: list[Any], source: list[Any], env: Any) -> _Emitter:
    artifact = source[0]

    def make(space: Workspace, node: Any) -> Task:
        platform = env[CONFIGURATION].platform
        symbol = env.get(SYMBOL) or symbol_of(node.name)
        space.after_reading(lambda: wait_for_check(env, node, artifact))
        return file_task(space, object_step(platform, symbol), node, {CWASM: artifact})

    return _emit(target, source, make)


def wait_for_check(env: Any, node: Any, artifact: Any) -> None:
    """Let a node wait for the check of its artifact; to be called when both are declared."""
    if not artifact.has_builder():
        return  # a node of a file that nobody makes would be missed when its folder is built
    report = _report_node(env, artifact)
    if report.has_builder():
        env.Depends(node, report)


def _report_node(env: Any, artifact: Any) -> Any:
    """Return the node of the report beside an artifact."""
    return env.fs.File(f"#{node_path(artifact)}{REPORT_SUFFIX}")


def _engine(env: Any) -> EngineConfig:
    configuration: Configuration = env[CONFIGURATION]
    return configuration.engine(workspace().engine_settings(env))
