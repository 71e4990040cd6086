"""Workers whose requests are executed on a server, by the same protocol, and programs of tests.

A request and its answer are the bytes that a worker here reads and writes: so the results, the
errors and the warnings are those of a worker here.
"""

from __future__ import annotations

import io
import json
import os
from functools import partial
from queue import SimpleQueue
from threading import BoundedSemaphore, Condition, Event, Thread
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError
from mochi_rules.remote.executors import RACE
from mochi_rules.remote.grpc.execution import Cancellation
from mochi_rules.steps.away import runtime
from mochi_rules.steps.away.guest import REQUEST
from mochi_rules.steps.processes.capture import MAX_OUTPUT, Ran
from mochi_rules.workers.process import nothing
from mochi_rules.workers.protocol import (
    ProtocolError,
    read_answer,
    read_greeting,
    write_frame,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mochi_rules.remote.executor import Executor, Finished, Job
    from mochi_rules.steps.processes.subprocesses import Executable
    from mochi_rules.workers.process import WorkerProcess

    Answer = tuple[str | None, bytes]

# The modules that are workers, by the kinds of their steps.
_MODULES = {"mochi": "mochi_rules.steps.engines.compiler_worker", "aot": "mochi_rules.aot.worker"}
_GUEST = "mochi_rules.steps.away.guest"
_SETTLING = 1.5  # seconds
_SECONDS = 600.0  # for a request, as for a worker here


class Away:
    """Where steps run that do not run here; safe for threads.

    `policies` has what is done with each kind of step that does not run here alone.
    """

    def __init__(self, executor: Executor, policies: Mapping[str, str]) -> None:
        self.policies = policies
        self.here = BoundedSemaphore(os.cpu_count() or 1)  # what falls back runs with few others
        self._executor = executor
        self._changed = Condition()
        self._running: set[Cancellation] = set()
        self._is_closed = False

    def run(self, pack: Callable[[], Job], cancellation: Cancellation) -> Finished | None:
        """Return how a job ended on the server; None where it is for this machine.

        Raises:
            MochiError: The build has ended, or requires the server, and it fails.
        """
        with self._changed:
            if self._is_closed:
                raise _interrupted()
            self._running.add(cancellation)
        try:
            finished = self._executor.run(pack(), cancellation)
        except runtime.UnsupportedError as error:
            self.refuse(str(error))
            return None
        finally:
            with self._changed:
                self._running.discard(cancellation)
                self._changed.notify_all()
        if finished is None and self._is_closed:
            raise _interrupted()
        return finished

    def run_program(
        self,
        files: Mapping[str, bytes],
        request: Mapping[str, object],
        stdin: bytes,
        seconds: float,
    ) -> Ran | None:
        """Return how the program of a test ended on the server; None where it must run here.

        Raises:
            MochiError: As `run`.
        """
        if "test" not in self.policies:
            return None
        inputs = {**files, REQUEST: json.dumps(request, sort_keys=True).encode(),
                  runtime.INPUT: stdin}  # fmt: skip
        pack = partial(runtime.module_job, "test", _GUEST, inputs, seconds)
        return _ran(self.run(pack, Cancellation()))

    def execute(self, executable: Executable, stdin: bytes, seconds: float) -> Ran | None:
        """Return how an executable ended on the server; None where it must run here.

        Raises:
            MochiError: As `run`.
        """
        if "test" not in self.policies or not self._executor.has_workers(executable.platform):
            return None
        pack = partial(runtime.executable_job, executable, stdin, seconds)
        return _ran(self.run(pack, Cancellation()))

    def refuse(self, reason: str) -> None:
        """Note why something cannot run on the server that should."""
        self._executor.refuse(reason)

    def close(self) -> None:
        """End what runs on the server, and let nothing begin there."""
        with self._changed:
            self._is_closed = True
            running = list(self._running)
        for cancellation in running:
            cancellation.cancel()

    def settle(self) -> None:
        """Wait until the server has learnt what it need not run any more, but not for long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, _SETTLING)


class RemoteWorker:
    """A worker on a server; what cannot be done there is done by `local`.

    It is `program` of this machine, or the module of ours for this kind of step.
    """

    def __init__(
        self, away: Away, kind: str, local: WorkerProcess, program: Path | None = None
    ) -> None:
        self._away = away
        self._kind = kind
        self._local = local
        self._program = program

    def request(
        self, fields: Mapping[str, object], wasm: bytes, meanwhile: Callable[[], None] = nothing
    ) -> Answer:
        """Return as `WorkerProcess.request`."""
        if self._away.policies[self._kind] == RACE:
            return self._race(fields, wasm)
        answer = self._ask(fields, wasm, Cancellation())
        if answer is not None:
            return answer
        with self._away.here:
            return self._local.request(fields, wasm, meanwhile)

    def close(self) -> None:
        """End the worker of this machine; `Away.close` ends the others."""
        self._local.close()

    def _race(self, fields: Mapping[str, object], wasm: bytes) -> Answer:
        """Return the first answer, of the server or of this machine, and end the other."""
        cancellation, is_idle = Cancellation(), Event()
        answers: SimpleQueue[Answer | MochiError | None] = SimpleQueue()

        def there() -> None:
            answers.put(_caught(lambda: self._ask(fields, wasm, cancellation)))

        def here() -> None:
            with self._away.here:
                answer = None
                if not cancellation.is_cancelled:
                    answer = _caught(lambda: self._local.request(fields, wasm))
            is_idle.set()
            answers.put(answer)

        for work in (there, here):
            Thread(target=work, daemon=True).start()
        first = answers.get()
        if not isinstance(first, tuple):
            last = answers.get()
            first = first if last is None else last
        cancellation.cancel()
        if not is_idle.is_set():
            self._local.close()
        if isinstance(first, tuple):
            return first
        raise first or _interrupted()

    def _ask(
        self, fields: Mapping[str, object], wasm: bytes, cancellation: Cancellation
    ) -> Answer | None:
        """Return the server's answer; None where there is none."""
        request = io.BytesIO()
        write_json(request, dict(fields))
        write_frame(request, wasm)
        files = {runtime.INPUT: request.getvalue()}
        finished = self._away.run(partial(self._pack, files), cancellation)
        return None if finished is None else self._answer(finished)

    def _pack(self, files: Mapping[str, bytes]) -> Job:
        if self._program is not None:
            return runtime.program_job(self._program, (runtime.INPUT,), files, _SECONDS)
        return runtime.module_job(self._kind, _MODULES[self._kind], files, _SECONDS)

    def _answer(self, finished: Finished) -> Answer | None:
        stream = io.BytesIO(finished.stdout)
        try:
            self._local.check(read_greeting(stream))
            return read_answer(stream)
        except ProtocolError as error:
            said = finished.stderr.decode(errors="replace").strip().splitlines()
            reason = said[-1] if said else str(error)
            self._away.refuse(f"a worker there ended with status {finished.status}: {reason}")
            return None


def _ran(finished: Finished | None) -> Ran | None:
    if finished is None:
        return None
    if max(len(finished.stdout), len(finished.stderr)) > MAX_OUTPUT:
        return Ran(None, b"", b"", is_flood=True)
    return Ran(finished.status, finished.stdout, finished.stderr)


def _caught(ask: Callable[[], Answer | None]) -> Answer | MochiError | None:
    try:
        return ask()
    except MochiError as error:
        return error


def _interrupted() -> MochiError:
    return MochiError(Diagnostic("B015", "interrupted", fault=Fault.ENVIRONMENT))
