"""The messages of the execution service, and their field numbers.

Source: build/bazel/remote/execution/v2/remote_execution.proto,
google/longrunning/operations.proto.
"""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.digest import Digest
from mochi_rules.cache import wire
from mochi_rules.cache.messages import ActionResult, Detail
from mochi_rules.cache.wire import Field, Kind
from mochi_rules.remote.grpc import messages
from mochi_rules.remote.grpc.messages import SHA256, Status


@dataclass(frozen=True, slots=True)
class Execute:
    """Asks a server to run an action whose messages and inputs it has."""

    instance: str
    action: Digest
    skip_cache: bool = False
    function: int = SHA256
    inline_stdout: bool = True
    inline_stderr: bool = True


@dataclass(frozen=True, slots=True)
class WaitExecution:
    """Asks for the updates of an operation that somebody has begun."""

    name: str


@dataclass(frozen=True, slots=True)
class CancelOperation:
    """Asks a server to end an operation."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """How far an execution is; `response` is an ExecuteResponse when it is done."""

    name: str = ""
    is_done: bool = False
    error: Status | None = None
    response: Detail | None = None


@dataclass(frozen=True, slots=True)
class ExecuteResponse:
    """How an execution ended; `message` is what the server says to people."""

    result: ActionResult | None = None
    is_cached: bool = False
    status: Status | None = None
    message: str = ""


SCHEMA: wire.Schema = {
    **messages.SCHEMA,
    Execute: wire.table(
        Field(1, "instance", Kind.STRING),
        Field(3, "skip_cache", Kind.BOOL),
        Field(6, "action", Kind.MESSAGE, Digest, required=True),
        Field(9, "function", Kind.INT32),
        Field(10, "inline_stdout", Kind.BOOL),
        Field(11, "inline_stderr", Kind.BOOL),
    ),
    WaitExecution: wire.table(Field(1, "name", Kind.STRING)),
    CancelOperation: wire.table(Field(1, "name", Kind.STRING)),
    Operation: wire.table(
        Field(1, "name", Kind.STRING),
        Field(3, "is_done", Kind.BOOL),
        Field(4, "error", Kind.MESSAGE, Status),
        Field(5, "response", Kind.MESSAGE, Detail),
    ),
    ExecuteResponse: wire.table(
        Field(1, "result", Kind.MESSAGE, ActionResult),
        Field(2, "is_cached", Kind.BOOL),
        Field(3, "status", Kind.MESSAGE, Status),
        Field(5, "message", Kind.STRING),
    ),
}

_CODEC = wire.Codec(SCHEMA)
encode, decode = _CODEC.encode, _CODEC.decode
