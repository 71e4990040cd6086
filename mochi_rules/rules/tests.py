"""Tests as targets: the run of each is an alias."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from mochi_rules.platforms.platform import host_platform
from mochi_rules.rules.builders import REPORT_SUFFIX
from mochi_rules.rules.scons.nodes import check_exists, read_node
from mochi_rules.rules.step_action import StepAction
from mochi_rules.rules.workspace import Task
from mochi_rules.steps.step import CWASM, WASM
from mochi_rules.steps.test_case import Case, case_step, directory_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.rules.call import Call
    from mochi_rules.rules.workspace import Target

TEST = "test"  # the alias of all tests
_REPORT = ".cwasm" + REPORT_SUFFIX


def declare_test(call: Call, tested: Target, given: Mapping[str, Any]) -> None:
    """Declare the run of a test: always looked at, and mostly restored.

    `given` has the nodes of EXPECTED and STDIN. What is for other machines only is built, and not
    run. A native program runs as WebAssembly, under limits.
    """
    test, env, name = call.target.test, call.env, str(call.label)
    here = [item.name for item in call.space.settings.configurations
            if item.platform == host_platform()]  # fmt: skip
    if not here:
        reports = [outputs[_REPORT] for outputs in tested.outputs.values() if _REPORT in outputs]
        env.Alias(test, reports or tested.nodes)
        return
    tested = tested.sandbox() if tested.sandbox else tested
    outputs, run = tested.outputs[here[0]], tested.runs[here[0]]
    wasm = {WASM: outputs[".wasm"]} if ".wasm" in outputs else {}
    inputs = {CWASM: tested.artifacts[here[0]], **wasm, **given}
    limits = tuple(run.limits.items())
    args, timeout = tuple(call.values["args"]), call.values["timeout"]
    case = Case(name, args, timeout, limits, run.directories)
    env.Alias(test, [*inputs.values(), outputs[_REPORT]], StepAction())
    folder = call.space.root / tested.label.package

    def read() -> dict[str, bytes]:
        files = {name: read_node(node) for name, node in inputs.items()}
        return {**files, **directory_inputs(case, folder)}

    def check() -> list[Any]:
        for name, node in inputs.items():
            check_exists(node, partial(call.target.place.locate, name))
        return []

    step = case_step(case, tested.engines[here[0]])
    call.space.tasks[test] = Task(step, name, read, check, has_file=False)
    env.AlwaysBuild(test)
