"""The action of every step: SCons decides when, the pipeline how."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import SCons.Action

from mochi_rules.base.digest import SharedBytes, digest_bytes
from mochi_rules.base.events import Outcome, StepFinished, StepStarted
from mochi_rules.base.trace import span
from mochi_rules.cache.explain import key_record
from mochi_rules.rules.scons.errors import interruption
from mochi_rules.rules.scons.nodes import node_path, read_node
from mochi_rules.rules.workspace import CHANGED, workspace
from mochi_rules.steps.outputs import place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.base.digest import Digest
    from mochi_rules.rules.workspace import Task, Workspace
    from mochi_rules.steps.pipeline import StepResult


class StepAction(SCons.Action.FunctionAction):  # type: ignore[misc] # SCons has no types
    """Runs the task of its target.

    Its signature is that of the step: arguments and tools, but not the code of this function, and
    so the same under every version of Python.
    """

    def __init__(self) -> None:
        super().__init__(_run, {})

    def get_contents(self, target: list[Any], *_context: Any) -> bytes:
        """Return what is compared with the last build, besides the inputs."""
        space = workspace()
        task = space.tasks.get(target[0])
        return space.pipeline.signature(task.step) if task else b""

    def strfunction(self, target: list[Any], *_context: Any) -> None:
        """Show the step under `-n`; when it runs, its own line comes at the end."""
        if not SCons.Action.execute_actions:
            space = workspace()
            task = space.tasks[target[0]]
            space.console.planned(task.step.verb, task.name)

    def execute(
        self, _target: list[Any], *_context: Any, executor: Any, **_options: Any
    ) -> BaseException | None:
        """Make one target; return the error, as SCons wants it.

        Under `-s` SCons passes no targets: only the executor knows them.
        """
        [target] = executor.get_all_targets()
        return _run(workspace(), target, is_last=not executor.post_actions)


def restore(space: Workspace, node: Any) -> bool:
    """Make an output of what is at hand, in a cache or as inputs; False where its step must run.

    All of it is our own code, of which one thread runs at a time: to pass it on to another one
    takes longer than doing it. So it is done where SCons looks for the next step. Whatever goes
    wrong is for the step to report.
    """
    task = space.tasks.get(node)
    is_alone = len(node.get_executor().get_action_list()) == 1
    if task is None or task.notice or not (is_alone and SCons.Action.execute_actions):
        return False
    started = StepStarted(task.step.verb, task.name)
    try:
        with span("step", f"{task.step.verb} {task.name}"):
            space.prepare_steps()
            inputs = _digests(space, task) if task.step.is_stored else {}
            result = space.pipeline.restore(task.step, inputs, task.read, node_path(node))
            if result is None:
                return False
            _keep(space, node, task, result, is_last=True)
    except Exception:  # noqa: BLE001 - it happens again when the step runs
        return False
    _report(space, started, result)
    return True


def _digests(space: Workspace, task: Task) -> Mapping[str, bytes | Digest]:
    """Return what the key of a task is made of: contents, or digests where they are known."""
    if task.inputs is None:
        return task.read()
    return {name: space.known_digest(source) or read_input(space, source)
            for name, source in task.inputs.items()}  # fmt: skip


def _run(space: Workspace, node: Any, *, is_last: bool) -> BaseException | None:
    """Run the task of a node; with `is_last`, no other action changes its output."""
    task = space.tasks[node]
    started = StepStarted(task.step.verb, task.name)
    space.console.started(started)
    if task.notice:
        space.console.say(task.notice)
    try:
        with span("step", f"{task.step.verb} {task.name}"):
            space.prepare_steps()
            result = space.pipeline.run(task.step, task.read(), node_path(node))
            _keep(space, node, task, result, is_last=is_last)
    except Exception as error:  # noqa: BLE001 - SCons would print a traceback
        outcome = Outcome.INTERRUPTED if space.is_interrupted else Outcome.FAILED
        space.console.finished(started, StepFinished(task.step.verb, task.name, outcome))
        space.journal.ended(node_path(node), outcome)
        if outcome is Outcome.INTERRUPTED:
            return interruption(node)
        return space.step_error(error, node)
    _report(space, started, result)
    return None


def _report(space: Workspace, started: StepStarted, result: StepResult) -> None:
    made = result.made
    ended = StepFinished(
        started.verb, started.target, result.outcome, made.remark, result.seconds, len(made.data)
    )
    space.console.finished(started, ended)


def read_input(space: Workspace, node: Any) -> bytes:
    """Return the content of an input; an output that is not as its step made it is made again.

    SCons knows that a file has changed, and takes what is in an output for what its step made.

    Emits: B010.
    """
    data = read_node(node)
    task = space.tasks.get(node)
    if task is None or node.rfile() is not node:
        return data  # a source, or of a repository
    before = space.made_before(node)
    if before in (digest_bytes(data).hash, CHANGED):
        return data
    if before is not None:
        space.note_change(node)
    result = space.pipeline.run(task.step, task.read(), node_path(node))
    _keep(space, node, task, result, is_last=True)
    return result.made.data


def read_shared(space: Workspace, node: Any) -> bytes:
    """Return the content of an input that many steps take; it is read once.

    Emits: as `read_input`.
    """
    if node not in space.shared:
        space.shared[node] = SharedBytes(read_input(space, node))
    return space.shared[node]


def _keep(space: Workspace, node: Any, task: Task, result: StepResult, *, is_last: bool) -> None:
    """Place the output, note the key, show the warnings."""
    space.contents.pop(node, None)
    if is_last:
        space.contents[node] = result.made.digest or digest_bytes(result.made.data)
    is_compared = is_last and task.step.is_stored
    digest = space.contents[node].hash if is_compared else CHANGED
    if task.has_file:
        path = Path(node.get_abspath())
        place(task.step, path, result.made.data, node_path(node))
    space.made[node] = digest
    key = key_record(node_path(node), result.action)
    refusal = space.settings.cache.refusal(result.action.key)
    space.journal.record(
        node_path(node), result.outcome, result.seconds, key, digest, refusal=refusal
    )
    space.console.report(result.made.warnings)
