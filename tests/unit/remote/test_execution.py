"""Steps run on a server, and what becomes of them where it does not run them."""

from __future__ import annotations

import dataclasses
from threading import Event, Thread
from typing import TYPE_CHECKING

import grpc
import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.cache.messages import ActionResult, Platform
from mochi_rules.remote import executor
from mochi_rules.remote.executor import Finished, Job, make_tree
from mochi_rules.remote.executors import parse_executors
from mochi_rules.remote.grpc import execution
from mochi_rules.remote.grpc import execution_messages as ex
from mochi_rules.remote.grpc import messages as m
from mochi_rules.remote.grpc.execution import Cancellation
from mochi_rules.remote.tier import RemoteTier

from .fake_server import FakeServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Machine

JOB = Job("tool", ("tool", "in"), make_tree({"tool": b"a tool"}, ["tool"]), {"in": b"input"}, 60.0)
RAN = ActionResult(exit_code=3, stdout_raw=b"out", stderr_raw=b"err")


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Return a server that runs every action in the same way."""
    execution = m.ExecutionCapabilities(m.SHA256, is_enabled=True)
    server = FakeServer(m.ServerCapabilities(m.CacheCapabilities(bytes([m.SHA256])), execution))
    server.execute_command = lambda _: RAN
    yield server
    server.stop()


@pytest.fixture
def tier(machine: Machine, server: FakeServer) -> RemoteTier:
    """Return the remote tier of a machine."""
    return remote_tier(machine, server)


def remote_tier(machine: Machine, server: FakeServer, **table: object) -> RemoteTier:
    """Return the remote tier of a new machine."""
    shared = machine(server.url, executor="remote", **table).shared
    assert isinstance(shared, RemoteTier)
    return shared


def run(tier: RemoteTier) -> Finished | None:
    """Return how the job ends."""
    return tier.executor.run(JOB, Cancellation())


def test_status_and_outputs_come_back(tier: RemoteTier) -> None:
    """A command that fails has run, too."""
    assert run(tier) == Finished(3, b"out", b"err")
    assert tier.warnings == ()


def test_large_output_is_fetched(tier: RemoteTier, server: FakeServer) -> None:
    """What a server does not put into its answer is read from where it keeps blobs."""
    data = b"large"
    digest = make_tree({"a": data}).blobs
    [name] = [digest for digest, content in digest.items() if content == data]
    server.blobs[name.hash] = data
    server.execute_command = lambda _: ActionResult(stdout_digest=name)
    assert run(tier) == Finished(0, data, b"")


def test_command_is_in_the_directory_of_its_files(tier: RemoteTier, server: FakeServer) -> None:
    """The server has all that an action names before it is asked to run it."""
    run(tier)
    assert {b"a tool", b"input"} <= set(server.blobs.values())


def test_files_of_many_jobs_are_sent_once(tier: RemoteTier, server: FakeServer) -> None:
    """The second job sends nothing that the first has sent."""
    run(tier)
    sent = server.calls.count("batch_update")
    run(tier)
    assert server.calls.count("batch_update") == sent


def test_broken_connection_is_picked_up(tier: RemoteTier, server: FakeServer) -> None:
    """An operation goes on while nobody listens, and is not begun twice."""
    server.faults.cut = 1
    assert run(tier) == Finished(3, b"out", b"err")
    assert (server.calls.count("execute"), server.calls.count("wait")) == (1, 1)


def test_forgotten_operation_is_begun_again(tier: RemoteTier, server: FakeServer) -> None:
    """A server that was started again does not know what it was asked before."""
    server.faults.cut = 1
    server.faults.refuse["wait"] = 1, grpc.StatusCode.NOT_FOUND
    assert run(tier) == Finished(3, b"out", b"err")
    assert server.calls.count("execute") == 2


def test_lost_inputs_are_sent_again(tier: RemoteTier, server: FakeServer) -> None:
    """A server may drop blobs between two jobs."""
    run(tier)
    server.blobs.clear()
    answers = iter([m.Status(9, "missing blobs"), RAN])
    server.execute_command = lambda _: next(answers)
    # The action itself is sent each time: only the tree of its runtime is known to be there.
    assert run(tier) == Finished(3, b"out", b"err")
    assert b"a tool" in server.blobs.values()


def test_command_that_takes_too_long_has_no_status(tier: RemoteTier, server: FakeServer) -> None:
    """The server ends a command when its time is up, and that is no trouble of the server."""
    server.execute_command = lambda _: m.Status(4, "too long")
    assert run(tier) == Finished(None, b"", b"")
    assert tier.warnings == ()


def test_step_that_is_not_run_is_for_this_machine(tier: RemoteTier, server: FakeServer) -> None:
    """Whatever the server says, the build goes on, with one warning."""
    server.execute_command = lambda _: m.Status(3, "no such platform")
    assert run(tier) is run(tier) is None
    [warning] = tier.warnings
    assert (warning.code, warning.severity.name) == ("K029", "WARNING")
    assert "no such platform" in warning.message


def test_required_server_must_run_steps(machine: Machine, server: FakeServer) -> None:
    """With `require`, a step that the server does not run is an error."""
    server.execute_command = lambda _: m.Status(3, "no such platform")
    tier = remote_tier(machine, server, require="yes")
    for _ in range(2):
        with pytest.raises(MochiError, match="no such platform"):
            run(tier)


def test_server_that_says_that_it_runs_nothing_is_asked_for_nothing(machine: Machine) -> None:
    """A server that is a cache alone, or for this client, remains a cache."""
    server = FakeServer(m.ServerCapabilities(execution=m.ExecutionCapabilities(m.SHA256)))
    tier = remote_tier(machine, server)
    assert run(tier) is run(tier) is None
    assert server.calls == ["get_capabilities"]
    assert [warning.code for warning in tier.warnings] == ["K029"]
    required = remote_tier(machine, server, require="yes")
    for _ in range(2):
        with pytest.raises(MochiError, match="it runs no actions"):
            run(required)
    server.stop()


def test_server_without_the_service_is_asked_once(machine: Machine) -> None:
    """A server that says nothing of executions may run them, or not."""
    server = FakeServer()
    server.faults.refuse["execute"] = 9, grpc.StatusCode.UNIMPLEMENTED
    tier = remote_tier(machine, server)
    assert run(tier) is run(tier) is None
    assert server.calls.count("execute") == 1
    assert [warning.code for warning in tier.warnings] == ["K029"]
    server.stop()


def test_interrupted_build_ends_its_operations(tier: RemoteTier, server: FakeServer) -> None:
    """Ctrl-C ends what runs on the server, too."""
    began, ended = Event(), Event()

    def wait(*_: object) -> Iterator[object]:
        began.set()
        ended.wait(10)
        yield from ()

    server.faults.cut = 1
    server.wait = wait  # type: ignore[method-assign]
    cancellation = Cancellation()
    waiting = Thread(target=tier.executor.run, args=(JOB, cancellation))
    waiting.start()
    assert began.wait(10)
    cancellation.cancel()
    waiting.join(10)
    ended.set()
    assert not waiting.is_alive()
    assert server.calls[-1] == "cancel"
    assert tier.warnings == ()


def test_interrupted_build_waits_for_no_upload(tier: RemoteTier, server: FakeServer) -> None:
    """What goes along with the first step is large, and the way to the server may be slow."""
    began, ended = Event(), Event()

    def keep(*_: object) -> object:
        began.set()
        ended.wait(30)
        return m.BatchUpdated()

    server.batch_update = keep  # type: ignore[method-assign]
    cancellation = Cancellation()
    waiting = Thread(target=tier.executor.run, args=(JOB, cancellation))
    waiting.start()
    assert began.wait(10)
    cancellation.cancel()
    tier.interrupt()
    waiting.join(20)
    assert not waiting.is_alive()
    ended.set()
    assert tier.warnings == ()


def end_soon(patch: pytest.MonkeyPatch) -> None:
    """Let a client give up after seconds, not ten minutes, and pause little."""
    patch.setattr(executor, "_QUEUE", -50.0)
    patch.setattr(execution, "_PAUSE", 0.001)


def test_failed_operation_is_not_waited_for(
    tier: RemoteTier, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays as it is; others are begun, but not for as long as a job may take."""
    end_soon(monkeypatch)
    server.execute_command = lambda _: m.Status(13, "unsupported ISA")
    assert run(tier) is None
    assert (server.calls.count("execute"), server.calls.count("wait")) == (5, 0)
    assert "unsupported ISA" in tier.warnings[0].message


def test_platform_without_machines_is_asked_for_no_more(
    machine: Machine, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither other jobs nor the cache suffer from it."""
    end_soon(monkeypatch)
    tier = remote_tier(machine, server, platform={"aarch64-linux": {"ISA": "aarch64"}})
    answers = {Platform(): RAN, None: RAN}
    server.execute_command = lambda command: answers.get(command.platform, m.Status(13, "no"))
    for _ in range(5):
        job = dataclasses.replace(JOB, platform="aarch64-linux")
        assert tier.executor.run(job, Cancellation()) is None
    assert server.calls.count("execute") == 3 * 5
    assert run(tier) == Finished(3, b"out", b"err")
    assert [warning.code for warning in tier.warnings] == ["K029"]


def test_operation_that_fails_by_chance_is_begun_again(
    tier: RemoteTier, server: FakeServer
) -> None:
    """A machine there may be lost while it runs something."""
    answers = iter([m.Status(14, "the machine is lost"), RAN])
    server.execute_command = lambda _: next(answers)
    assert run(tier) == Finished(3, b"out", b"err")


def test_operation_without_progress_is_given_up(
    tier: RemoteTier, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that names an operation each time and never waits for it keeps nobody waiting."""
    end_soon(monkeypatch)
    server.faults.cut = 1
    server.wait = lambda request, _: iter([ex.Operation(request.name)])  # type: ignore[method-assign]
    server.execute = lambda *_: iter([ex.Operation("operations/0")])  # type: ignore[method-assign]
    assert run(tier) is None
    assert len([name for name in server.calls if name in ("execute", "wait")]) == 5


def test_namespace_parts_actions(machine: Machine, server: FakeServer) -> None:
    """What one namespace has run is not taken by another."""
    run(remote_tier(machine, server))
    before = len(server.blobs)
    run(remote_tier(machine, server, namespace="release"))
    assert len(server.blobs) == before + 1  # the action


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("local", {}),
        ("race", {"mochi": "race", "aot": "race", "clif": "race", "test": "race"}),
        ("aot=remote", {"aot": "remote"}),
        ("remote,mochi=local", {"aot": "remote", "clif": "remote", "test": "remote"}),
    ],
)
def test_each_kind_of_step_has_its_place(text: str, expected: dict[str, str]) -> None:
    """`executor` names one place for all, and others for kinds of steps."""
    assert parse_executors(text) == expected


@pytest.mark.parametrize("text", ["remte", "link=remote", "aot="])
def test_unknown_place_is_refused(text: str) -> None:
    """A place or a kind of step that is not known is an error."""
    with pytest.raises(MochiError, match="K020"):
        parse_executors(text)
