"""A cache server in this process, by gRPC, that can do what real servers do not.

It keeps to the protocol until a test sets a fault.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.cache.messages import Action, ActionResult, Command, Detail, Duration
from mochi_rules.remote.grpc import compression
from mochi_rules.remote.grpc import execution_messages as ex
from mochi_rules.remote.grpc import messages as m

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SERVICE = "build.bazel.remote.execution.v2"
_PIECE = 100_000  # bytes of a blob that is read as a stream


@dataclass
class Faults:
    """What the server does wrong; a test changes it at any time.

    `refuse` names calls to refuse: how often, with which code. `delay` is in seconds, before each
    call. `change` is what becomes of a blob on its way to the client. `cut` is after how many bytes
    a stream breaks off, once.
    """

    refuse: dict[str, tuple[int, grpc.StatusCode]] = field(default_factory=dict)
    retry_after: float | None = None
    delay: float = 0.0
    change: Callable[[bytes], bytes] = lambda data: data
    cut: int = 0
    says: str = "no"
    token: str = ""


class FakeServer:
    """A server on a free port; `calls` are the names of the calls that came, in order."""

    def __init__(
        self,
        capabilities: m.ServerCapabilities | None = None,
        tls: tuple[bytes, bytes, bytes] | None = None,
    ) -> None:
        self.blobs: dict[str, bytes] = {}
        self.results: dict[str, ActionResult] = {}
        self.calls: list[str] = []
        self.faults = Faults()
        self.operations: dict[str, ex.Operation] = {}
        self.execute_command: Callable[[Command], ActionResult | m.Status] = lambda _: m.Status(12)
        self.capabilities = capabilities or m.ServerCapabilities(
            m.CacheCapabilities(bytes([m.SHA256]), m.UpdateCapabilities(enabled=True))
        )
        self._server = grpc.server(ThreadPoolExecutor(16))
        self._server.add_generic_rpc_handlers((_handlers(self),))
        if tls is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:  # key, certificate, and whose certificates clients must show
            secrets = grpc.ssl_server_credentials([tls[:2]], tls[2], require_client_auth=True)
            self.port = self._server.add_secure_port("127.0.0.1:0", secrets)
        self._server.start()

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"grpc://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End the server."""
        self._server.stop(None)

    def begin(self, name: str, context: Any) -> None:
        """Note a call, and do wrong what a test wants."""
        self.calls.append(name)
        faults = self.faults
        time.sleep(faults.delay)
        if faults.token:
            sent = dict(context.invocation_metadata()).get("authorization")
            if sent != f"Bearer {faults.token}":
                context.abort(grpc.StatusCode.UNAUTHENTICATED, f"not {sent}")
        times, code = faults.refuse.get(name, (0, None))
        if times:
            faults.refuse[name] = times - 1, code
            self._abort(context, code)

    def _abort(self, context: Any, code: grpc.StatusCode) -> None:
        if self.faults.retry_after is not None:
            seconds = self.faults.retry_after
            delay = Duration(int(seconds), int(seconds % 1 * 1e9))
            info = m.encode(m.RetryInfo(delay))
            detail = Detail("type.googleapis.com/google.rpc.RetryInfo", info)
            status = m.encode(m.Status(code.value[0], "later", (detail,)))
            context.set_trailing_metadata((("grpc-status-details-bin", status),))
        context.abort(code, self.faults.says)

    def get_capabilities(self, _request: m.GetCapabilities, _context: Any) -> object:
        """Return what the server can do."""
        return self.capabilities

    def get_result(self, request: m.GetActionResult, context: Any) -> object:
        """Return a result."""
        found = self.results.get(request.action.hash)
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such result")
        return found

    def update_result(self, request: m.UpdateActionResult, _context: Any) -> object:
        """Keep a result."""
        self.results[request.action.hash] = request.result
        return request.result

    def find_missing(self, request: m.FindMissing, _context: Any) -> object:
        """Return which blobs are not there."""
        return m.Missing(tuple(d for d in request.digests if d.hash not in self.blobs))

    def batch_update(self, request: m.BatchUpdate, _context: Any) -> object:
        """Keep blobs."""
        for upload in request.uploads:
            self._keep(upload.digest, compression.expanded(upload.data, upload.digest,
                                                           upload.compressor))  # fmt: skip
        return m.BatchUpdated(tuple(m.Uploaded(item.digest) for item in request.uploads))

    def batch_read(self, request: m.BatchRead, _context: Any) -> object:
        """Return blobs, compressed where both sides can."""
        found = []
        for digest in request.digests:
            data = self.blobs.get(digest.hash)
            if data is None:
                found.append(m.Download(digest, status=m.Status(5, "no such blob")))
            else:
                may = m.ZSTD in request.compressors and self._has_zstd
                data, compressor = compression.packed(self.faults.change(data), is_allowed=may)
                found.append(m.Download(digest, data, compressor=compressor))
        return m.Downloads(tuple(found))

    def read(self, request: m.Read, context: Any) -> Iterator[object]:
        """Return a blob in parts."""
        *_, kind, _, _ = names = request.name.split("/")
        data = self.blobs.get(names[-2])
        if data is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such blob")
        data = self.faults.change(data)[request.offset :]
        cut, self.faults.cut = self.faults.cut, 0
        if kind == "zstd":
            data, _ = compression.packed(data, is_allowed=True)
        for at in range(0, len(data), _PIECE):
            if cut and at >= cut:
                context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
            yield m.Chunk(data[at : at + _PIECE])

    def write(self, requests: Iterator[m.Write], _context: Any) -> object:
        """Keep a blob that comes in parts."""
        first = next(requests)
        *_, kind, hash_, size = first.name.split("/")
        if hash_ in self.blobs:  # a server may answer before all has come
            return m.Written(-1 if kind == "zstd" else int(size))
        data = first.data + b"".join(request.data for request in requests)
        digest = Digest(hash_, int(size))
        self._keep(digest, compression.expanded(data, digest, int(kind == "zstd")))
        return m.Written(len(data))

    def query(self, _request: m.QueryWrite, _context: Any) -> object:
        """Return that nothing of a write was kept."""
        return m.Written(0)

    def execute(self, request: ex.Execute, context: Any) -> Iterator[object]:
        """Begin what an action says; `faults.cut` lets the first answer be the last."""
        name = f"operations/{len(self.operations)}"
        yield ex.Operation(name)
        action = m.decode(Action, self.blobs[request.action.hash])
        command = m.decode(Command, self.blobs[action.command_digest.hash])
        ended = self.execute_command(command)
        if isinstance(ended, m.Status):
            response = ex.ExecuteResponse(status=ended)
        else:
            response = ex.ExecuteResponse(ended)
        packed = Detail("", ex.encode(response))
        self.operations[name] = ex.Operation(name, is_done=True, response=packed)
        cut, self.faults.cut = self.faults.cut, 0
        if cut:
            context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
        yield self.operations[name]

    def wait(self, request: ex.WaitExecution, context: Any) -> Iterator[object]:
        """Return how an operation ended."""
        if request.name not in self.operations:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such operation")
        yield self.operations[request.name]

    def cancel(self, _request: ex.CancelOperation, _context: Any) -> object:
        """Take note that an operation is no longer wanted."""
        return m.Missing()

    @property
    def _has_zstd(self) -> bool:
        return self.capabilities.cache is not None and m.ZSTD in self.capabilities.cache.compressors

    def _keep(self, digest: Digest, data: bytes) -> None:
        assert digest_bytes(data) == digest
        self.blobs[digest.hash] = data


_METHODS: dict[str, tuple[type, str]] = {
    f"{_SERVICE}.Capabilities/GetCapabilities": (m.GetCapabilities, "get_capabilities"),
    f"{_SERVICE}.ActionCache/GetActionResult": (m.GetActionResult, "get_result"),
    f"{_SERVICE}.ActionCache/UpdateActionResult": (m.UpdateActionResult, "update_result"),
    f"{_SERVICE}.ContentAddressableStorage/FindMissingBlobs": (m.FindMissing, "find_missing"),
    f"{_SERVICE}.ContentAddressableStorage/BatchUpdateBlobs": (m.BatchUpdate, "batch_update"),
    f"{_SERVICE}.ContentAddressableStorage/BatchReadBlobs": (m.BatchRead, "batch_read"),
    "google.bytestream.ByteStream/Read": (m.Read, "read"),
    "google.bytestream.ByteStream/Write": (m.Write, "write"),
    "google.bytestream.ByteStream/QueryWriteStatus": (m.QueryWrite, "query"),
    f"{_SERVICE}.Execution/Execute": (ex.Execute, "execute"),
    f"{_SERVICE}.Execution/WaitExecution": (ex.WaitExecution, "wait"),
    "google.longrunning.Operations/CancelOperation": (ex.CancelOperation, "cancel"),
}
_STREAMING = ("read", "execute", "wait")


def _handlers(server: FakeServer) -> grpc.GenericRpcHandler:
    class Handlers(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            request, name = _METHODS[details.method.removeprefix("/")]
            method = getattr(server, name)

            def unary(data: bytes, context: Any) -> bytes:
                server.begin(name, context)
                return ex.encode(method(ex.decode(request, data), context))

            def stream_out(data: bytes, context: Any) -> Iterator[bytes]:
                server.begin(name, context)
                found = method(ex.decode(request, data), context)
                yield from map(ex.encode, found)

            def stream_in(parts: Iterator[bytes], context: Any) -> bytes:
                server.begin(name, context)
                return m.encode(method((m.decode(request, part) for part in parts), context))

            if name in _STREAMING:
                return grpc.unary_stream_rpc_method_handler(stream_out)
            if name == "write":
                return grpc.stream_unary_rpc_method_handler(stream_in)
            return grpc.unary_unary_rpc_method_handler(unary)

    return Handlers()
