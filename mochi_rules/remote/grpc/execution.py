"""Executions on a server: followed to their end, picked up where a connection broke, cancelled.

Source: the services Execution and Operations in remote_execution.proto and operations.proto.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any

from mochi_rules.cache.wire import WireError
from mochi_rules.remote.grpc import execution_messages as m
from mochi_rules.remote.grpc.grpc_errors import one_line
from mochi_rules.remote.trouble import Kind, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.base.digest import Digest
    from mochi_rules.remote.grpc.grpc_errors import Answered
    from mochi_rules.remote.grpc.messages import Status

_EXECUTE = "/build.bazel.remote.execution.v2.Execution/Execute"
_WAIT = "/build.bazel.remote.execution.v2.Execution/WaitExecution"
_CANCEL = "/google.longrunning.Operations/CancelOperation"
_ATTEMPTS = 4  # after one that ends at once or fails
_LIVELY = 5.0  # seconds; a stream that was open so long has not ended at once
_PAUSE = 0.05  # seconds; doubles before each attempt
_CANCELLING = 1.0  # seconds
# Codes of gRPC.
_DEADLINE, _EXHAUSTED, _PRECONDITION, _INTERNAL, _UNAVAILABLE = 4, 8, 9, 13, 14
_PASSING = (_EXHAUSTED, _INTERNAL, _UNAVAILABLE)


class MissingInputsError(Exception):
    """The server lacks blobs of an action that it had, or that it was given."""


class TooSlowError(Exception):
    """A command has used up its time."""


class NotRunError(ServerError):
    """A server that works has not run an action to its end."""


class Cancellation:
    """Ends one execution, or several, from another thread; safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: set[Any] = set()
        self.is_cancelled = False

    def cancel(self) -> None:
        """End what runs, and whatever begins later."""
        with self._lock:
            self.is_cancelled = True
            calls = list(self._calls)
        for call in calls:
            call.cancel()

    @contextmanager
    def watching(self, call: Any) -> Iterator[None]:
        """Let a call be ended meanwhile."""
        with self._lock:
            self._calls.add(call)
            if self.is_cancelled:
                call.cancel()
        try:
            yield
        finally:
            with self._lock:
                self._calls.discard(call)


class Execution:
    """Runs actions on a server. The arguments are as in `byte_stream.ByteStream`."""

    def __init__(self, instance: str, open_channel: Callable[[], Any], answered: Answered) -> None:
        self._instance = instance
        self._open = open_channel
        self._answered = answered

    def run(self, action: Digest, seconds: float, cancellation: Cancellation) -> m.ExecuteResponse:
        """Return how an action ended that the server has all blobs of.

        What it ran before is not run again if it succeeded.

        Raises:
            MissingInputsError: It lacks some.
            TooSlowError: It took longer than its timeout.
            ServerError: It was not run, took longer than `seconds`, or was cancelled.
        """
        end = time.monotonic() + seconds
        response = self._run(m.Execute(self._instance, action), end, cancellation)
        if response.is_cached and response.result is not None and response.result.exit_code:
            again = m.Execute(self._instance, action, skip_cache=True)
            return self._run(again, end, cancellation)
        return response

    def _run(self, request: m.Execute, end: float, cancellation: Cancellation) -> m.ExecuteResponse:
        """Follow an execution until `end`, a time of the monotonic clock."""
        operation = m.Operation()
        attempts = 0
        while True:
            named, began = operation.name, time.monotonic()
            try:
                for operation in self._updates(request, named, end, cancellation):
                    if operation.is_done:
                        return _response(operation)
                if operation.name == named:
                    operation = m.Operation()  # the server has forgotten it
            except ServerError as error:
                self._check(operation, cancellation)
                if error.kind is not Kind.PASSING or attempts == _ATTEMPTS:
                    raise
            if operation.is_done:
                operation = m.Operation()  # it has failed, and stays so: another may not
            elif time.monotonic() - began > _LIVELY:
                attempts = 0
            attempts += 1
            if attempts > _ATTEMPTS or time.monotonic() > end:
                raise ServerError(Kind.PASSING, "it does not finish what it was asked to run")
            time.sleep(_PAUSE * 2**attempts)

    def _updates(
        self, begin: m.Execute, name: str, end: float, cancellation: Cancellation
    ) -> Iterator[m.Operation]:
        """Yield what is heard of an operation, which is begun where it has no name yet."""
        if name:
            method, request = _WAIT, m.encode(m.WaitExecution(name))
        else:
            method, request = _EXECUTE, m.encode(begin)
        call = self._open().unary_stream(method)
        limit = max(end - time.monotonic(), 0.0)
        stream: Any = self._answered(
            lambda: call(request, timeout=limit, metadata=self._answered.headers())
        )
        with cancellation.watching(stream):
            while True:
                message = self._answered(lambda: next(stream, None), may_lack=bool(name))
                if message is None:
                    return
                try:
                    yield m.decode(m.Operation, message)
                except WireError as error:
                    raise ServerError(Kind.LASTING, f"its answer is malformed: {error}") from None

    def _check(self, operation: m.Operation, cancellation: Cancellation) -> None:
        """Raise ServerError if this client has ended the operation; the server learns of it."""
        if not cancellation.is_cancelled:
            return
        if operation.name:
            with suppress(ServerError):
                request = m.encode(m.CancelOperation(operation.name))
                call = self._open().unary_unary(_CANCEL)
                headers = self._answered.headers()
                self._answered(lambda: call(request, timeout=_CANCELLING, metadata=headers))
        raise ServerError(Kind.STOPPED, "interrupted")


def _response(operation: m.Operation) -> m.ExecuteResponse:
    """Return how an operation ended.

    Raises:
        MissingInputsError, TooSlowError: As `Execution.run`.
        ServerError: It was not run to its end.
    """
    if operation.error is not None and operation.error.code:
        raise _failure(operation.error)
    try:
        response = m.decode(
            m.ExecuteResponse, operation.response.value if operation.response else b""
        )
    except WireError as error:
        raise ServerError(Kind.LASTING, f"its answer is malformed: {error}") from None
    if response.status is not None and response.status.code:
        raise _failure(response.status)
    if response.result is None:
        raise ServerError(Kind.LASTING, "it says nothing of how an action ended")
    return response


def _failure(status: Status) -> Exception:
    said = one_line(status.message) or f"status {status.code}"
    if status.code == _PRECONDITION:
        return MissingInputsError(said)
    if status.code == _DEADLINE:
        return TooSlowError(said)
    return NotRunError(Kind.PASSING if status.code in _PASSING else Kind.LASTING, said)
