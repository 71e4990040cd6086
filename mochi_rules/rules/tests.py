"""Tests as targets: the run of each is an alias."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import replace
from mochi_rules.base.diagnostic import MochiError, environment_error
from mochi_rules.platforms.platform import find_platform, host_platform
from mochi_rules.platforms.toolchain import resolution_error
from mochi_rules.rules.builders import REPORT_SUFFIX
from mochi_rules.rules.scons.nodes import check_exists, read_node
from mochi_rules.rules.step_action import StepAction
from mochi_rules.rules.workspace import Task
from mochi_rules.steps.step import CWASM, PROGRAM, WASM
from mochi_rules.steps.test_case import (
    Case,
    case_step,
    directory_inputs,
    executable_case_step,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.project.configuration import Configuration
    from mochi_rules.rules.call import Call
    from mochi_rules.rules.claims import Target
    from mochi_rules.steps.step import Step

TEST = "test"  # the alias of all tests
_REPORT = ".cwasm" + REPORT_SUFFIX


def declare_test(call: Call, tested: Target, given: Mapping[str, Any]) -> None:
    """Declare the run of a test: always looked at, and mostly restored.

    `given` has the nodes of EXPECTED and STDIN. What is for other machines only is built, and not
    run, unless the test names its platform. A native program runs as WebAssembly, under limits.

    Emits: C010 (no such platform).
    """
    configuration = _configuration(call)
    if configuration is None:
        reports = [outputs[_REPORT] for outputs in tested.outputs.values() if _REPORT in outputs]
        call.env.Alias(call.target.test, reports or tested.nodes)
    elif configuration.platform == host_platform():
        _declare_here(call, tested, given, configuration)
    else:
        _declare_elsewhere(call, tested, given, configuration)


def _configuration(call: Call) -> Configuration | None:
    """Return what a test runs in: of its platform, or of this machine; None where none is built."""
    name, configurations = call.values["platform"], call.space.settings.configurations
    with call.at("platform"):
        platform = find_platform(name) if name else host_platform()
    for configuration in configurations:
        if configuration.platform == platform:
            return configuration
    level = platform.architecture.default_cpu_level
    return replace(configurations[0], platform=platform, cpu=level) if name else None


def _declare_here(
    call: Call, tested: Target, given: Mapping[str, Any], configuration: Configuration
) -> None:
    """Declare a run of the artifact."""
    if tested.sandbox:
        tested = tested.sandbox(configuration)
    _add(call, tested, configuration)
    outputs, run = tested.outputs[configuration.name], tested.runs[configuration.name]
    wasm = {WASM: outputs[".wasm"]} if ".wasm" in outputs else {}
    inputs = {CWASM: tested.artifacts[configuration.name], **wasm, **given}
    case = _case(call, tested, configuration)
    case = replace(case, limits=tuple(run.limits.items()))
    step = case_step(case, tested.engines[configuration.name])
    call.env.Alias(call.target.test, [*inputs.values(), outputs[_REPORT]], StepAction())
    _declare_run(call, tested, case, step, inputs)


def _declare_elsewhere(
    call: Call, tested: Target, given: Mapping[str, Any], configuration: Configuration
) -> None:
    """Declare a run of the executable; where there is none, that is the error of the run."""
    from mochi_rules.aot.tools.emulated import find_emulator  # noqa: PLC0415 - of such tests only

    platform = configuration.platform
    problem, inputs = None, dict(given)
    try:
        with call.at("platform"):
            _add(call, tested, configuration)
            inputs |= _executable(call, tested, configuration)
    except MochiError as error:
        problem = error
    case = _case(call, tested, configuration)
    step = executable_case_step(case, platform, partial(find_emulator, platform))
    call.env.Alias(call.target.test, list(inputs.values()), StepAction())
    _declare_run(call, tested, case, step, inputs, problem)


def _add(call: Call, tested: Target, configuration: Configuration) -> None:
    """Declare a program for one more configuration, if it is not built there anyway."""
    if configuration.name in tested.outputs or tested.declare is None:
        return
    try:
        tested.declare(configuration)
    finally:
        call.space.leave_out(tested.outputs.get(configuration.name, {}).values())


def _executable(call: Call, tested: Target, configuration: Configuration) -> dict[str, Any]:
    """Return the node of an executable, and of the library beside it, by name.

    Emits: C002 (no launcher), C038.
    """
    platform, link = configuration.platform, call.space.settings.link
    outputs = tested.outputs.get(configuration.name, {})
    program = outputs.get(platform.system.executable_suffix)
    if program is None:
        resolution = call.space.settings.toolchains.launcher(platform, may_build=False)
        if link != "none" and resolution.chosen is None:
            raise MochiError(resolution_error(resolution))
        message = f"`{tested.label}` has no executable for `{platform.name}` to test"
        raise environment_error(
            "C038",
            message,
            help="leave out `link=none`" if link == "none" else "let it run a `mochi_binary`",
        )
    if link != "bundle":
        return {PROGRAM: program}
    library = platform.system.library
    return {PROGRAM: program, library: program.dir.File(library)}


def _case(call: Call, tested: Target, configuration: Configuration) -> Case:
    run = tested.runs.get(configuration.name)
    args, timeout = tuple(call.values["args"]), call.values["timeout"]
    directories = run.directories if run else ()
    return Case(str(call.label), args, timeout, directories=directories)


def _declare_run(
    call: Call,
    tested: Target,
    case: Case,
    step: Step,
    inputs: Mapping[str, Any],
    problem: MochiError | None = None,
) -> None:
    """Declare the task of a test; with a `problem`, it cannot begin."""
    folder = call.space.root / tested.label.package

    def read() -> dict[str, bytes]:
        files = {name: read_node(node) for name, node in inputs.items()}
        return {**files, **directory_inputs(case, folder)}

    def check() -> list[Any]:
        if problem is not None:
            raise problem
        for name, node in inputs.items():
            check_exists(node, partial(call.target.place.locate, name))
        return []

    test = call.target.test
    call.space.tasks[test] = Task(step, case.name, read, check, has_file=False)
    call.env.AlwaysBuild(test)
