"""The client's side of a worker: starts it, asks it, and survives its death."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import weakref
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Protocol, Self

from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError, environment_error
from mochi_rules.base.lifeline import tied
from mochi_rules.workers.process_environment import scrubbed_environment
from mochi_rules.workers.protocol import (
    Greeting,
    ProtocolError,
    read_answer,
    read_greeting,
    write_frame,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_START_SECONDS = 60
_END_SECONDS = 2
_FROM_OUTSIDE = ("SIGKILL", "SIGTERM", "SIGHUP")
_SHOWN_STDERR = 2000  # bytes of a dead worker's last words


def nothing() -> None:
    """Do nothing while a worker is working."""


class Worker(Protocol):
    """Whoever answers requests; `WorkerProcess` says what each method does."""

    def request(
        self, fields: Mapping[str, object], wasm: bytes, meanwhile: Callable[[], None] = nothing
    ) -> tuple[str | None, bytes]:
        """Return the answer to a request: the error or None, and the artifact."""

    def close(self) -> None:
        """End the worker."""


class WorkerProcess:
    """A worker, started when it is first needed and again after it died.

    Serves one caller at a time: others wait. `command` is the worker's; `seconds` is the longest
    that a compilation may take. Use it as a context, or call `close`: a worker also ends when
    this process does, however that is. `close` does not wait for a request under way: its caller
    gets A062.
    """

    def __init__(self, command: Sequence[str], seconds: float = 600) -> None:
        self.command = tuple(command)
        self.seconds = seconds
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker; it is started again when it is needed again."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    def start(self) -> None:
        """Start the worker without waiting for it: it makes itself ready meanwhile.

        Emits: A060.

        Raises:
            MochiError: The worker cannot be started.
        """
        with self._lock:
            self._spawned()

    def greeting(self) -> Greeting:
        """Return what the worker is, starting it.

        Emits: A060 (cannot start), A061 (another version), A063 (no answer in time), A080 (not a
        worker).

        Raises:
            MochiError: There is no such worker.
        """
        with self._lock:
            return self._started().greeting

    def request(
        self, fields: Mapping[str, object], wasm: bytes, meanwhile: Callable[[], None] = nothing
    ) -> tuple[str | None, bytes]:
        """Return the worker's answer to a request: the error or None, and the artifact.

        `meanwhile` is called while the worker is working.

        A request with `debug_info` goes to a process that has answered none: Wasmtime numbers the
        modules of a process, and the number of one without a name enters its debug information.

        Emits: as `start`; A062 (died), A081 (answer malformed).

        Raises:
            MochiError: There is no answer. The next request goes to a new worker.
        """
        with self._lock:
            if fields.get("debug_info") and self._running and self._running.has_answered:
                self.close()
            running = self._started()
            try:
                return running.ask(fields, wasm, self.seconds, meanwhile)
            except BaseException:  # a KeyboardInterrupt too leaves an answer unread
                self._running = None
                running.stop()
                raise

    def check(self, greeting: Greeting) -> None:
        """Raise MochiError if a worker with this greeting is not usable; any is."""

    def _started(self) -> _Running:
        running = self._spawned()
        if not running.has_greeted:
            try:
                running.greet()
                self.check(running.greeting)
            except BaseException:
                self._running = None
                running.stop()
                raise
        return running

    def _spawned(self) -> _Running:
        if self._running is None or self._running.process.poll() is not None:
            if self._running is not None:
                self._running.stop()
            self._running = _spawn(self.command)
        return self._running


class _Running:
    """A started process with its pipes and its stderr; never started again."""

    def __init__(
        self, command: tuple[str, ...], process: subprocess.Popen[bytes], stderr: IO[bytes]
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.command, self.process = command, process
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, stderr
        self.greeting = Greeting("", "")
        self.has_greeted = self.has_answered = False
        self._stop = weakref.finalize(self, _end, process, stderr, os.getpid())  # at exit, too

    def stop(self) -> None:
        """End the process, whatever it does, and reap it."""
        self._stop()

    def greet(self) -> None:
        """Read the greeting, and check it."""
        with _Deadline(self.process, _START_SECONDS) as deadline:
            try:
                self.greeting = read_greeting(self.stdout)
                self.has_greeted = True
            except ProtocolError as error:
                deadline.check("did not start")
                notes = (f"got {error}", *self._last_words())
                raise environment_error(
                    "A080", f"`{self.command[0]}` is not a worker", notes=notes
                ) from None

    def ask(
        self,
        fields: Mapping[str, object],
        wasm: bytes,
        seconds: float,
        meanwhile: Callable[[], None],
    ) -> tuple[str | None, bytes]:
        """Send a request and return its answer."""
        with _Deadline(self.process, seconds) as deadline:
            try:
                write_json(self.stdin, dict(fields))
                write_frame(self.stdin, wasm)
                self.has_answered = True
                meanwhile()
                return read_answer(self.stdout)
            except (ProtocolError, OSError) as error:
                deadline.check("did not finish")
                raise self._death(fields, error) from None

    def _death(self, fields: Mapping[str, object], error: Exception) -> MochiError:
        """Report how the worker ended, in which configuration, with its last words."""
        try:
            status = self.process.wait(1)
        except subprocess.TimeoutExpired:
            return MochiError(
                Diagnostic(
                    "A081",
                    f"`{self.command[0]}` does not follow the protocol",
                    notes=(str(error),),
                    fault=Fault.INTERNAL,
                )
            )
        killer = _signal_name(status)
        ending = f"was killed by {killer}" if killer else f"exited with status {status}"
        is_outside = killer in _FROM_OUTSIDE or status == Fault.ENVIRONMENT.value
        return MochiError(
            Diagnostic(
                "A062",
                f"the compiler {ending}",
                notes=(f"the request was for {_summary(fields)}", *self._last_words()),
                # Nobody but the kernel kills a worker, when memory runs out.
                help="run again with fewer jobs: `-j1`" if killer == "SIGKILL" else "",
                fault=Fault.ENVIRONMENT if is_outside else Fault.INTERNAL,
            )
        )

    def _last_words(self) -> tuple[str, ...]:
        with suppress(OSError, ValueError):
            size = self.stderr.seek(0, os.SEEK_END)
            self.stderr.seek(max(0, size - _SHOWN_STDERR))
            lines = self.stderr.read().decode(errors="replace").splitlines()
            # Rust's panics wrap the reason in a thread's number and a hint for developers.
            shown = [line.strip() for line in lines if not line.startswith(("thread '", "note: "))]
            text = " ".join(shown).strip()
            return (f"its last output was: {text}",) if text else ()
        return ()


class _Deadline:
    """Kills a process when a time is up: a read of its pipe then ends, on every system."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self._seconds = seconds
        self._is_over = False
        self._process = process
        self._timer = threading.Timer(seconds, self._kill)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def check(self, what: str) -> None:
        """Raise A063 when the time was up."""
        if self._is_over:
            raise environment_error("A063", f"the compiler {what} within {self._seconds:g} s")

    def _kill(self) -> None:
        self._is_over = True
        _stop(self._process)


def _spawn(command: tuple[str, ...]) -> _Running:
    stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            **tied(scrubbed_environment()),
        )
    except OSError as error:
        stderr.close()
        reason = (error.strerror or str(error)).lower()
        raise environment_error("A060", f"cannot start `{command[0]}`: {reason}") from None
    return _Running(command, process, stderr)


def _end(process: subprocess.Popen[bytes], stderr: IO[bytes], owner: int) -> None:
    """Stop and reap."""
    if os.getpid() != owner:  # a fork of our process ends, and the worker is not its own
        return
    _stop(process)
    for stream in (process.stdin, process.stdout, stderr):
        with suppress(OSError):  # closing flushes, and the reader may be gone
            if stream is not None:
                stream.close()
    process.wait()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process; a worker may have to end a program of its own, and take its files away."""
    with suppress(OSError):
        process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _signal_name(status: int) -> str:
    """Return the name of the signal that ended a process, or an empty string if none did."""
    if status >= 0:
        return ""
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def _summary(fields: Mapping[str, object]) -> str:
    """Return the settings that a report needs, in one line."""
    return ", ".join(f"{name}={value!r}" for name, value in fields.items() if value is not None)
