"""The rules: what `mochi_binary(...)` and its like declare in every configuration."""

from __future__ import annotations

import posixpath
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import SCons.Node
import SCons.Node.Alias

from mochi_rules.base.dataclass import replace
from mochi_rules.base.diagnostic import Diagnostic, MochiError, placed
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.platforms.platform import host_platform
from mochi_rules.project.attributes import BY_NAME, POSITIONAL
from mochi_rules.project.label import Label, check_name, parse_label
from mochi_rules.project.profiles import split
from mochi_rules.project.visibility import Unit
from mochi_rules.rules.builders import (
    LIBRARY_SUFFIX,
    REPORT_SUFFIX,
    file_task,
    report_task,
    tool_node,
    wasm_task,
)
from mochi_rules.rules.call import Call
from mochi_rules.rules.claims import Target
from mochi_rules.rules.executables import declare_executable
from mochi_rules.rules.native import declare_c_library, declare_native
from mochi_rules.rules.programs import find_program
from mochi_rules.rules.releases.releases import check_circumstances, declare_release
from mochi_rules.rules.scons.nodes import node_path, source_name
from mochi_rules.rules.scons.place import user_place
from mochi_rules.rules.sources import Sources
from mochi_rules.rules.stamping import stamped
from mochi_rules.rules.targets import test_scope
from mochi_rules.rules.tests import TEST, declare_test
from mochi_rules.rules.workspace import Task, workspace
from mochi_rules.steps.step import (
    CWASM,
    WASM,
    aot_step,
    import_input,
    import_step,
    library_step,
    object_step,
    symbol_of,
)
from mochi_rules.steps.test_case import EXPECTED, STDIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.project.configuration import Configuration

SHARD = "shard"  # a value of a call that is one of a test with `shards`


def rule_functions() -> dict[str, Callable[..., list[Any]]]:
    """Return the rules by name, as functions of an environment and attributes."""
    return {name: _rule_function(name, make) for name, make in _MAKERS.items()}


def _rule_function(name: str, make: Callable[[Call], None]) -> Callable[..., list[Any]]:
    """Return a rule: it returns `Target.returned`, as a builder of SCons does."""
    rule = BY_NAME[name]

    def declare(env: Any, *names: Any, **attributes: Any) -> list[Any]:
        space = workspace()
        place = user_place(space.root)
        given = dict(zip(("name", *_unnamed()), names, strict=False)) | attributes

        def act() -> list[Any]:
            values = rule.check(given, place.locate)
            with placed(partial(place.locate, "name")):
                check_name(values["name"])
            label = Label(space.package(), values["name"])
            target = Target(label, name, place)
            space.declare(target)
            space.universe.add(Unit(label, name, (), (), place.locate))
            make(Call(space, env, target, values))
            return target.returned

        found: list[Any] = space.guard(placed(place.locate)(act))
        return SCons.Node.NodeList(found)  # type: ignore[no-any-return] # SCons has no types

    declare.__name__ = name
    declare.__doc__ = rule.doc
    return declare


def _unnamed() -> tuple[str, ...]:
    """Names for positional arguments after the first, which no rule has."""
    return tuple(f"{POSITIONAL} {number}" for number in range(2, 9))


def _unit(call: Call) -> tuple[Unit, dict[str, Any]]:
    """Return the sources of a target: as names for the checks, and as nodes."""
    nodes = {source_name(node): node for node in call.files("srcs")}
    _check_sources(call, nodes)
    with call.at("deps"):
        deps = tuple(parse_label(text, call.label.package) for text in call.values["deps"])
    locate = call.target.place.locate
    unit = Unit(call.label, call.target.rule, tuple(nodes), deps, locate)
    call.space.universe.add(unit)
    call.space.sources.update(nodes)
    return unit, nodes


def _check_sources(call: Call, names: Iterable[str]) -> None:
    """Refuse a file that is not a source, such as an object: it would be ignored.

    Emits: B007.
    """
    other = next((name for name in names if posixpath.splitext(name)[1] not in ("", ".mochi")), "")
    if other:
        message = f"`srcs` of `{call.label}` has `{other}`, which is not a Mochi file"
        help_ = "leave it out: programs are linked from Mochi files alone"
        raise MochiError(Diagnostic("B007", message, call.target.place.locate("srcs"), help=help_))


def _program(call: Call) -> Sources:
    return _sources(call, lambda unit: (_main(call, unit),))


def _sources(call: Call, roots: Callable[[Unit], tuple[str, ...]]) -> Sources:
    unit, nodes = _unit(call)
    space = call.space
    return Sources(roots(unit), nodes, space.sources, space.fs, space.universe, unit)


def _main(call: Call, unit: Unit) -> str:
    """Return the source that runs.

    Emits: B019 (there is none, or no telling which).
    """
    package = call.label.package
    wanted = call.values["main"]
    own = posixpath.normpath(posixpath.join(package, wanted or f"{call.label.name}.mochi"))
    if own in unit.srcs:
        return own
    if not wanted and len(unit.srcs) == 1:
        return unit.srcs[0]
    shown = [posixpath.relpath(name, package or ".") for name in unit.srcs]
    if wanted:
        message, help_ = (
            f"`main` is `{wanted}`, which is not in `srcs`",
            did_you_mean(wanted, shown),
        )
    elif unit.srcs:
        message = f"no main source: which source of `{call.label}` runs?"
        help_ = f'write `main = "{shown[0]}"`'
    else:
        message, help_ = f"`srcs` of `{call.label}` is empty", 'write `srcs = ["app.mochi"]`'
    where = "main" if wanted else "srcs"
    raise MochiError(Diagnostic("B019", message, call.target.place.locate(where), help=help_))


def _binary(call: Call) -> None:
    sources = _program(call)
    if call.space.settings.link == "native":
        call.target.sandbox = cache(partial(_sandbox, call, sources))
        _declare(call, partial(declare_native, call, sources=sources))
    else:
        _declare(call, partial(_declare_binary, call, sources))


def _declare(call: Call, declare: Callable[[Configuration], None]) -> None:
    """Declare a program in all configurations that are built, and a test may do so in others."""
    call.target.declare = declare
    for configuration in call.space.settings.configurations:
        declare(configuration)


def _declare_binary(call: Call, sources: Sources, configuration: Configuration) -> None:
    wasm = _wasm(call, configuration, sources)
    artifact = stamped(call, configuration, CWASM, _artifact(call, configuration, wasm))
    _object(call, configuration, artifact)
    declare_executable(call, configuration, {CWASM: artifact, WASM: wasm})


def _sandbox(call: Call, sources: Sources, configuration: Configuration) -> Target:
    """Declare what tests run in place of a native program; nothing else has it built."""
    target = Target(call.label, call.target.rule, call.target.place)
    sandboxed = Call(call.space, call.env, target, call.values)
    _artifact(sandboxed, configuration, _wasm(sandboxed, configuration, sources))
    call.space.leave_out(target.nodes)
    return target


def _library(call: Call) -> None:
    """Check the sources, once: what the compiler reports does not depend on the configuration."""
    sources = _sources(call, lambda unit: tuple(sorted(unit.srcs)))
    configuration = call.space.settings.configurations[0]
    node = call.output(configuration, LIBRARY_SUFFIX)
    step = library_step(sources.roots)
    call.space.tasks[node] = Task(step, str(call.label), sources.read, sources.scan)
    call.environment(configuration).MochiReport(node, list(sources.nodes.values()))


def _c_library(call: Call) -> None:
    sources = _sources(call, lambda unit: tuple(sorted(unit.srcs)))
    if not sources.roots:
        place = call.target.place.locate("srcs")
        message = f"`srcs` of `{call.label}` is empty"
        raise MochiError(Diagnostic("B019", message, place, help='write `srcs = ["shapes.mochi"]`'))
    for configuration in call.space.settings.configurations:
        call.target.linked.append(declare_c_library(call, configuration, sources))


def _wasm_import(call: Call) -> None:
    [source] = call.files("src")
    _declare(call, partial(_declare_import, call, source))


def _declare_import(call: Call, source: Any, configuration: Configuration) -> None:
    name, is_program = source_name(source), call.values["executable"]
    node = call.output(configuration, ".wasm")
    step = import_step(name, is_program=is_program)
    inputs = {import_input(name): source}
    call.space.tasks[node] = file_task(call.space, step, node, inputs)
    call.environment(configuration).MochiWasmImport(node, source)
    artifact = _artifact(call, configuration, node)
    _object(call, configuration, artifact)
    if is_program:
        declare_executable(call, configuration, {CWASM: artifact, WASM: node})


def _prebuilt(call: Call) -> None:
    [source] = call.files("src")
    for configuration in call.space.settings.configurations:
        with call.at("engine"):
            config = configuration.loader(split(call.settings)[0])
        _check(call, config, {CWASM: source}, configuration)
        _object(call, configuration, source)
        if call.values["executable"]:
            declare_executable(call, configuration, {CWASM: source})


def _test(call: Call) -> None:
    values = call.values
    if bool(values["program"]) == bool(values["srcs"]):
        message = f"`{call.label}` needs either `program` or `srcs`"
        raise MochiError(Diagnostic("B071", message, help='write `program = ":app"`'))
    call.target.test = _test_node(call.target)
    inputs = {name: node for name in (STDIN, EXPECTED) for node in call.files(name)}
    if values["shards"] > 1 and (values["program"] or EXPECTED in inputs):
        message = f"`{call.label}` has `shards`, and so needs `srcs`, without `expected`"
        help_ = "leave `shards` out, or test in `test` blocks"
        raise MochiError(
            Diagnostic("B071", message, call.target.place.locate("shards"), help=help_)
        )
    if values["program"]:
        with call.at("program"):
            label = parse_label(values["program"], call.label.package)
        act = partial(_run_program, call, label, inputs)
        call.space.after_reading(placed(call.target.place.locate)(act))
    elif values["shards"] == 1:
        _test_sources(call, _program(call), inputs)
    else:
        _test_in_shards(call, _program(call), inputs)
    scope = test_scope(call.space)
    if not scope or any(pattern.matches(call.label) for pattern in scope):
        call.env.Alias(TEST, call.target.test)


def _test_node(target: Target) -> Any:
    return SCons.Node.Alias.default_ans.Alias(str(target.label))


def _test_sources(call: Call, sources: Sources, inputs: Mapping[str, Any]) -> None:
    declare = partial(_declare_tested, call, sources)
    if call.values["platform"]:
        call.target.declare = declare  # when the test is declared
    else:
        _declare(call, declare)
    declare_test(call, call.target, inputs)


def _test_in_shards(call: Call, sources: Sources, inputs: Mapping[str, Any]) -> None:
    """Declare a test for each shard, which is a program of its own, and so cached by itself.

    Emits: B071.
    """
    count = call.values["shards"]
    for number in range(count):
        label = Label(call.label.package, f"{call.label.name}.{number + 1}")
        target = Target(label, call.target.rule, call.target.place)
        call.space.declare(target)
        target.test = _test_node(target)
        values = {**call.values, SHARD: (number, count)}
        _test_sources(Call(call.space, call.env, target, values), sources, inputs)
        call.target.shards.append(target)
    call.env.Alias(call.target.test, [target.test for target in call.target.shards])


def _declare_tested(call: Call, sources: Sources, configuration: Configuration) -> None:
    """Declare what a test of its own sources runs: an executable only for another platform."""
    wasm = _wasm(call, configuration, sources)
    artifact = _artifact(call, configuration, wasm)
    if configuration.platform.name == call.values["platform"] != host_platform().name:
        declare_executable(call, configuration, {CWASM: artifact, WASM: wasm})


def _run_program(call: Call, label: Label, inputs: Mapping[str, Any]) -> None:
    """Declare the run of a program, wherever that is declared.

    Emits: B016 (no such program).
    """
    declare_test(call, find_program(call, label, "program", "runs"), inputs)


def _release(call: Call) -> None:
    files, lock = call.files("files"), call.files("lock")  # of the folder that is being read
    act = partial(declare_release, call, files, lock[0] if lock else None)
    call.space.after_reading(placed(call.target.place.locate)(act))
    call.space.after_reading(partial(check_circumstances, call.space))


def _wasm(call: Call, configuration: Configuration, sources: Sources) -> Any:
    node = call.output(configuration, ".wasm")
    config = call.engine(configuration)
    level = call.values["optimize"]
    made_for = configuration if level is None else replace(configuration, optimize=level)
    options = {name: call.values[name] for name in ("stamp", SHARD) if name in call.values}
    task = wasm_task(call.space, sources, node, made_for, config, **options)
    call.space.tasks[node] = task
    return call.environment(configuration).MochiWasm(node, sources.nodes[sources.roots[0]])[0]


def _artifact(call: Call, configuration: Configuration, wasm: Any) -> Any:
    """Compile ahead of time and check; return the node of the artifact."""
    config = call.engine(configuration)
    node = call.output(configuration, ".cwasm")
    call.space.tasks[node] = file_task(
        call.space, aot_step(config, node_path(wasm)), node, {WASM: wasm}
    )
    env = call.environment(configuration)
    env.MochiCwasm(node, wasm)
    if recipe := call.space.require_aot(config.platform):
        env.Requires(node, tool_node(call.space, env, recipe))
    _check(call, config, {CWASM: node, WASM: wasm}, configuration)
    return node


def _check(
    call: Call, config: EngineConfig, inputs: dict[str, Any], configuration: Configuration
) -> None:
    node = call.output(configuration, ".cwasm" + REPORT_SUFFIX)
    call.target.artifacts[configuration.name] = inputs[CWASM]
    call.target.engines[configuration.name] = config
    call.target.runs[configuration.name] = configuration.run(call.settings)
    call.space.tasks[node] = report_task(call.space, config, inputs, call.values.get("sha256", ""))
    call.environment(configuration).MochiReport(node, list(inputs.values()))


def _object(call: Call, configuration: Configuration, artifact: Any) -> None:
    """Wrap an artifact; it depends on the report that it was checked."""
    symbol = call.values["symbol"] or symbol_of(call.label.name)
    report = call.target.outputs[configuration.name][".cwasm" + REPORT_SUFFIX]
    node = call.output(configuration, ".o")
    step = object_step(configuration.platform, symbol)
    call.space.tasks[node] = file_task(call.space, step, node, {CWASM: artifact})
    call.environment(configuration).CwasmObject(node, [artifact, report])


_MAKERS: Mapping[str, Callable[[Call], None]] = {
    "mochi_binary": _binary,
    "mochi_library": _library,
    "mochi_c_library": _c_library,
    "mochi_test": _test,
    "wasm_import": _wasm_import,
    "cwasm": _prebuilt,
    "mochi_release": _release,
}
