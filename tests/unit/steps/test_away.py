"""Workers on a server: their answers, and who answers where they do not."""

from __future__ import annotations

import io
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.remote.executor import Finished
from mochi_rules.steps.away import runtime
from mochi_rules.steps.away.worker import Away, RemoteWorker
from mochi_rules.steps.processes.capture import Ran
from mochi_rules.steps.processes.subprocesses import Executable
from mochi_rules.workers.protocol import Greeting, write_answer, write_greeting

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from mochi_rules.remote.grpc.execution import Cancellation


class Executor:
    """A server that ends every job in the same way."""

    def __init__(
        self,
        finish: Callable[[Cancellation], Finished | None],
        platforms: Collection[str] = (),
    ) -> None:
        self.finish = finish
        self.platforms = platforms
        self.refused: list[str] = []
        self.jobs: list[Any] = []

    def has_workers(self, platform: str) -> bool:
        """Return whether there are workers for programs of a platform."""
        return platform in self.platforms

    def run(self, job: object, cancellation: Cancellation) -> Finished | None:
        """Return how a job ends."""
        self.jobs.append(job)
        return self.finish(cancellation)

    def refuse(self, reason: str) -> None:
        """Take note of a reason."""
        self.refused.append(reason)


class Local:
    """The worker of this machine."""

    def __init__(self) -> None:
        self.requests = 0
        self.is_closed = Event()

    def request(self, *_: object) -> tuple[str | None, bytes]:
        """Answer."""
        self.requests += 1
        return None, b"made here"

    def check(self, greeting: Greeting) -> None:
        """Take any worker."""

    def close(self) -> None:
        """End."""
        self.is_closed.set()


@pytest.fixture(autouse=True)
def without_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send no Python: nothing runs here."""
    monkeypatch.setattr(runtime, "module_job", lambda *_: None)


def answer(error: str | None, data: bytes) -> Finished:
    """Return how a worker ends that answers one request."""
    stream = io.BytesIO()
    write_greeting(stream, Greeting("wheel", "48.0.0"))
    write_answer(stream, error, data)
    return Finished(0, stream.getvalue(), b"")


def worker(
    finish: Callable[[Cancellation], Finished | None], place: str = "remote"
) -> tuple[RemoteWorker, Executor, Any]:
    """Return a worker on a server, that server, and the worker of this machine."""
    executor, local = Executor(finish), Local()
    away = Away(executor, {"aot": place})  # type: ignore[arg-type] # it does what is needed
    return RemoteWorker(away, "aot", local), executor, local  # type: ignore[arg-type]


EXECUTABLE = Executable("aarch64-linux", {"program": b"elf", "lib.so": b"so"}, ["one"])


@pytest.mark.parametrize(
    ("kind", "platforms"), [("aot", ["aarch64-linux"]), ("test", []), ("test", ["riscv64-linux"])]
)
def test_executable_runs_where_its_platform_has_workers(kind: str, platforms: list[str]) -> None:
    """Otherwise it is for this machine."""
    executor = Executor(lambda _: pytest.fail("ran"), platforms)
    away = Away(executor, {kind: "remote"})  # type: ignore[arg-type]
    assert away.execute(EXECUTABLE, b"", 1) is None


@pytest.mark.parametrize("stdin", [b"", b"in"])
def test_executable_is_a_job_for_its_platform(stdin: bytes) -> None:
    """A shell gives it standard input; without any it needs none."""
    executor = Executor(lambda _: Finished(3, b"out", b"err"), ["aarch64-linux"])
    away = Away(executor, {"test": "remote"})  # type: ignore[arg-type]
    assert away.execute(EXECUTABLE, stdin, 7) == Ran(3, b"out", b"err")
    [job] = executor.jobs
    assert job.arguments[-2:] == ("runtime/program", "one")
    assert (job.platform, job.seconds) == ("aarch64-linux", 7)
    assert job.files == ({"stdin": stdin} if stdin else {})
    assert (job.arguments[0] == "/bin/sh") is bool(stdin)


@pytest.mark.parametrize("expected", [(None, b"made there"), ("wrong program", b"")])
def test_answer_of_the_server_is_the_answer(expected: tuple[str | None, bytes]) -> None:
    """Results and errors are those of a worker here."""
    there, _, local = worker(lambda _: answer(*expected))
    assert there.request({}, b"") == expected
    assert local.requests == 0


def test_step_that_the_server_does_not_run_runs_here() -> None:
    """Without an answer, the worker of this machine is asked."""
    there, _, _ = worker(lambda _: None)
    assert there.request({}, b"") == (None, b"made here")


def test_worker_that_dies_there_is_replaced() -> None:
    """A worker that ends without an answer is reported, with its last line."""
    there, executor, _ = worker(lambda _: Finished(139, b"", b"trace\nout of memory\n"))
    assert there.request({}, b"") == (None, b"made here")
    assert executor.refused == ["a worker there ended with status 139: out of memory"]


def test_ended_build_runs_nothing_more() -> None:
    """After Ctrl-C, a step that was ended there is not begun here."""
    executor, local = Executor(lambda _: None), Local()
    away = Away(executor, {"aot": "remote"})  # type: ignore[arg-type]
    away.close()
    with pytest.raises(MochiError, match="interrupted"):
        RemoteWorker(away, "aot", local).request({}, b"")  # type: ignore[arg-type]


def test_race_is_won_by_this_machine() -> None:
    """When this machine is first, what runs on the server is ended."""
    ended = Event()

    def finish(cancellation: Cancellation) -> None:
        while not cancellation.is_cancelled:
            ended.wait(0.001)
        ended.set()

    there, _, _ = worker(finish, "race")
    assert there.request({}, b"") == (None, b"made here")
    assert ended.wait(10)


def test_race_is_won_by_the_server() -> None:
    """When the server is first, the worker of this machine is ended."""
    there, _, local = worker(lambda _: answer(None, b"made there"), "race")
    local.request = lambda *_: local.is_closed.wait(10) and (None, b"late")
    assert there.request({}, b"") == (None, b"made there")
    assert local.is_closed.is_set()


def test_race_of_which_one_side_fails_is_won_by_the_other() -> None:
    """A server that does not run a step leaves it to this machine."""
    there, _, _ = worker(lambda _: None, "race")
    assert there.request({}, b"") == (None, b"made here")
