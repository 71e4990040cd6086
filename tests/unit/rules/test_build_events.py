"""What became of a build, as Bazel's build events."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import SCons.Script.Main
from SCons.Node import executed, failed

from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.events import Outcome
from mochi_rules.platforms.platform import find_platform
from mochi_rules.project.configuration import MODES, Configuration
from mochi_rules.project.label import Label
from mochi_rules.rules.build_events import build_events
from mochi_rules.rules.claims import Target

if TYPE_CHECKING:
    from SCons.Node.FS import FS

LINUX = find_platform("x86_64-linux")
CONFIGURATION = Configuration(LINUX, MODES[0], LINUX.architecture.default_cpu_level, 2)


@pytest.fixture
def target(fs: FS) -> Target:
    """Return a target with an output that was made."""
    node = fs.File("app.wasm")
    Path(node.get_abspath()).write_bytes(b"wasm")
    node.set_state(executed)
    place: Any = None
    return Target(Label("app", "app"), "mochi_test", place, {CONFIGURATION.name: {".wasm": node}})


def events(target: Target, outcome: Outcome | None = None) -> dict[str, Any]:
    """Return the content of each event of a build of one target, by its kind."""
    entries = {"//app:app": SimpleNamespace(outcome=outcome, seconds=0.25)} if outcome else {}
    space: Any = SimpleNamespace(
        root=Path(),
        goals=[],
        reach=lambda _goals: {*target.nodes, *([target.test] if target.test else [])},
        targets={target.label: target},
        settings=SimpleNamespace(configurations=[CONFIGURATION]),
        journal=SimpleNamespace(entries=lambda: entries),
        is_interrupted=False,
    )
    found = [json.loads(line) for line in build_events(space, 0).splitlines()]
    assert [event.get("lastMessage", False) for event in found] == [False] * (len(found) - 1) + [
        True
    ]
    announced = [child for event in found for child in event["children"]]
    assert all(child in [event["id"] for event in found] for child in announced)
    return {
        kind: event[kind] for event in found for kind in event if kind not in ("id", "children")
    }


def test_outputs_of_a_target_are_listed(target: Target) -> None:
    """With their digests and sizes."""
    [output] = events(target)["completed"]["importantOutput"]
    assert output["digest"] == digest_bytes(b"wasm").hash
    assert (output["name"], output["length"]) == ("app.wasm", "4")


def test_target_without_its_output_has_not_succeeded(target: Target) -> None:
    """Whatever else was made."""
    target.nodes[0].set_state(failed)
    assert events(target)["completed"]["success"] is False


def test_test_from_a_server_is_cached_remotely(target: Target) -> None:
    """And passed, as all that is cached."""
    target.test = SCons.Node.Alias.default_ans.Alias("//app:app")
    target.test.set_state(executed)
    found = events(target, Outcome.FETCHED)
    assert found["testResult"]["status"] == found["testSummary"]["overallStatus"] == "PASSED"
    assert found["testResult"]["executionInfo"] == {"cachedRemotely": True}


def test_interrupted_test_is_incomplete(target: Target) -> None:
    """It has neither passed nor failed."""
    target.test = SCons.Node.Alias.default_ans.Alias("//app:app")
    target.test.set_state(failed)
    found = events(target, Outcome.INTERRUPTED)
    assert found["testResult"]["status"] == "INCOMPLETE"


def test_failed_test_is_the_reason_of_the_status(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When all outputs are made."""
    monkeypatch.setitem(vars(SCons.Script.Main), "exit_status", 2)
    target.test = SCons.Node.Alias.default_ans.Alias("//app:other")
    target.test.set_state(failed)
    found = events(target, Outcome.FAILED)
    assert found["testResult"]["status"] == "FAILED"
    assert found["finished"]["exitCode"] == {"name": "TESTS_FAILED", "code": 2}
