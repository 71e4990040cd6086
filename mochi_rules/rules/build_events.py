"""The result of a build as Bazel's build events, one JSON object a line, for what reads those.

Source: build_event_stream.proto of Bazel, in its JSON form: each event names itself and those that
it announces.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SCons.Node
import SCons.Script.Main

from mochi_rules import __version__
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.events import Outcome
from mochi_rules.rules.scons.nodes import node_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.project.configuration import Configuration
    from mochi_rules.rules.claims import Target
    from mochi_rules.rules.workspace import Workspace

    Event = dict[str, Any]

_DONE = (SCons.Node.up_to_date, SCons.Node.executed)
_FINISHED: Event = {"buildFinished": {}}


def build_events(space: Workspace, began: float) -> bytes:
    """Return the events of a build that has ended; `began` is in seconds since the epoch."""
    status = vars(SCons.Script.Main)["exit_status"]
    words = list(SCons.Script.COMMAND_LINE_TARGETS)
    pattern = {"pattern": {"pattern": words}}
    reached = space.reach(space.goals)
    targets = [(target, configuration) for target in space.targets.values() if not target.shards
               for configuration in space.settings.configurations
               if not reached.isdisjoint(_nodes(target, configuration))]  # fmt: skip
    tests = [target for target, _ in targets if target.test in reached]
    events: list[Event] = [
        _event({"started": {}}, [pattern, _FINISHED], "started", {
            "uuid": str(uuid.uuid4()), "startTime": _time(began), "buildToolVersion": __version__,
            "command": "test" if tests else "build", "workspaceDirectory": str(space.root),
        }),
        _event(pattern, [_configured(target) for target, _ in targets], "expanded", {}),
        *(_configuration(item) for item in space.settings.configurations),
    ]  # fmt: skip
    for target, configuration in targets:
        events += _target_events(space, target, configuration, is_tested=target in tests)
    name = "SUCCESS" if not status else "INTERRUPTED" if space.is_interrupted else "BUILD_FAILURE"
    is_built = all(node.get_state() in _DONE for target, configuration in targets
                   for node in target.outputs.get(configuration.name, {}).values())  # fmt: skip
    if name == "BUILD_FAILURE" and is_built and any(map(_has_failed, tests)):
        name = "TESTS_FAILED"
    events.append(_event(_FINISHED, [], "finished", {
        "overallSuccess": not status, "exitCode": {"name": name, "code": status},
        "finishTime": _time(datetime.now(UTC).timestamp()),
    }))  # fmt: skip
    events[-1]["lastMessage"] = True
    return "".join(f"{json.dumps(event)}\n" for event in events).encode()


def _target_events(
    space: Workspace, target: Target, configuration: Configuration, *, is_tested: bool
) -> Iterator[Event]:
    name = {"label": str(target.label), "configuration": {"id": configuration.name}}
    result = {"testResult": {**name, "run": 1, "shard": 1, "attempt": 1}}
    summary = {"testSummary": name}
    outputs = target.outputs.get(configuration.name, {}).values()
    files = [node for node in outputs if node.get_state() in _DONE and node.exists()]
    yield _event(_configured(target), [{"targetCompleted": name}], "configured",
                 {"targetKind": f"{target.rule} rule"})  # fmt: skip
    yield _event({"targetCompleted": name}, [result, summary] if is_tested else [], "completed", {
        "success": len(files) == len(outputs),
        "importantOutput": [_file(Path(node.get_abspath()), node_path(node)) for node in files],
    })  # fmt: skip
    if is_tested:
        entry = space.journal.entries().get(node_path(target.test))
        outcome, seconds = (entry.outcome, entry.seconds) if entry else (Outcome.UP_TO_DATE, 0.0)
        status = "PASSED"
        if _has_failed(target):
            status = "INCOMPLETE" if outcome is Outcome.INTERRUPTED else "FAILED"
        yield _event(result, [], "testResult", {
            "status": status, "testAttemptDuration": f"{seconds:.3f}s",
            "cachedLocally": outcome in (Outcome.RESTORED, Outcome.UP_TO_DATE),
            "executionInfo": {"cachedRemotely": outcome is Outcome.FETCHED},
        })  # fmt: skip
        yield _event(summary, [], "testSummary", {"overallStatus": status, "totalRunCount": 1})


def _event(identity: Event, children: list[Event], kind: str, content: Event) -> Event:
    return {"id": identity, "children": children, kind: content}


def _configured(target: Target) -> Event:
    return {"targetConfigured": {"label": str(target.label)}}


def _configuration(configuration: Configuration) -> Event:
    identity = {"configuration": {"id": configuration.name}}
    platform = configuration.platform
    content = {"mnemonic": configuration.name, "platformName": platform.name,
               "cpu": configuration.cpu}  # fmt: skip
    return _event(identity, [], "configuration", content)


def _file(path: Path, name: str) -> Event:
    data = path.read_bytes()
    return {"name": name, "uri": path.as_uri(), "digest": digest_bytes(data).hash,
            "length": str(len(data))}  # fmt: skip


def _nodes(target: Target, configuration: Configuration) -> list[Any]:
    return [*target.outputs.get(configuration.name, {}).values(), target.test]


def _has_failed(target: Target) -> bool:
    return bool(target.test.get_state() == SCons.Node.failed)


def _time(seconds: float) -> str:
    """Return a time as the JSON form of protobuf has it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
