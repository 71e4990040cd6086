"""Tests as targets: the run of each is an alias, and one that fails stops no other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import SCons.Script.Main

from mochi_rules.platforms.platform import host_platform
from mochi_rules.rules.scons.action import StepAction
from mochi_rules.rules.scons.builders import REPORT_SUFFIX, scan
from mochi_rules.rules.scons.nodes import check_exists, read_node
from mochi_rules.rules.scons.workspace import Task, workspace
from mochi_rules.rules.steps import CWASM, WASM
from mochi_rules.rules.testing import EXPECTED, STDIN, Case, case_step, directory_inputs

if TYPE_CHECKING:
    from mochi_rules.rules.configuration import Configuration
    from mochi_rules.rules.scons.rules import Call
    from mochi_rules.rules.scons.workspace import Target, Workspace

TEST = "test"  # the alias of all tests


def declare_test(call: Call, configuration: Configuration, tested: Target) -> None:
    """Declare the run of a test: always looked at, and mostly restored.

    What is for another machine is built, but not run.
    """
    if configuration.platform != host_platform():
        return
    values, name = call.values, str(call.label)
    outputs = tested.outputs[configuration.name]
    inputs = {CWASM: tested.artifacts[configuration.name]}
    inputs |= {WASM: outputs[".wasm"]} if ".wasm" in outputs else {}
    inputs |= {name: call.file(values[name]) for name in (STDIN, EXPECTED) if values[name]}
    run = tested.runs[configuration.name]
    limits = tuple(run.limits.items())
    case = Case(name, tuple(values["args"]), values["timeout"], limits, run.directories)
    env = call.environment(configuration)
    report = outputs[".cwasm" + REPORT_SUFFIX]
    alias = env.Alias(name, [*inputs.values(), report], StepAction())[0]
    folder = call.space.root / tested.label.package

    def read() -> dict[str, bytes]:
        files = {name: read_node(node) for name, node in inputs.items()}
        return {**files, **directory_inputs(case, folder)}

    def check() -> list[Any]:
        for name, node in inputs.items():
            check_exists(node, partial(call.target.place.locate, name))
        return []

    step = case_step(case, tested.engines[configuration.name])
    call.space.tasks[alias] = Task(step, name, read, check, has_file=False)
    env.AlwaysBuild(alias)
    env.Alias(TEST, alias)


def visit_test(node: Any) -> None:
    """Check the inputs of a test when SCons looks at it, which scans files only, not aliases."""
    task = workspace().tasks.get(node)
    if task is not None and not task.has_file:
        scan(node)


def keep_testing(space: Workspace) -> None:
    """Let a test that fails stop nothing but what depends on it, as `-k` does for every step."""
    fail = SCons.Script.Main.BuildTask.do_failed

    def do_failed(self: Any, *status: int) -> None:
        task = space.tasks.get(self.targets[0])
        if task is not None and task.step.verb == TEST:
            before, self.options.keep_going = self.options.keep_going, True
            fail(self, *status)
            self.options.keep_going = before
        else:
            fail(self, *status)

    SCons.Script.Main.BuildTask.do_failed = do_failed
