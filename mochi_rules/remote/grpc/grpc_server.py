"""A server of the Remote Execution API v2: capabilities, results, small blobs.

Source: remote_execution.proto; Bazel's remote client for how much of it servers keep to.
"""

from __future__ import annotations

import os
import uuid
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from mochi_rules import __version__
from mochi_rules.cache.messages import ActionResult
from mochi_rules.cache.wire import WireError
from mochi_rules.remote.grpc import compression
from mochi_rules.remote.grpc import messages as m
from mochi_rules.remote.grpc.byte_stream import ByteStream
from mochi_rules.remote.grpc.execution import Execution
from mochi_rules.remote.grpc.grpc_errors import Answered, one_line
from mochi_rules.remote.server import batches, concurrently, results
from mochi_rules.remote.trouble import Kind, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mochi_rules.base.digest import Digest
    from mochi_rules.remote.credentials import Credentials
    from mochi_rules.remote.settings import Address
    from mochi_rules.remote.trouble import Guard

_T = TypeVar("_T")

_SERVICE = "/build.bazel.remote.execution.v2."
_CAPABILITIES = f"{_SERVICE}Capabilities/GetCapabilities"
_GET_RESULT = f"{_SERVICE}ActionCache/GetActionResult"
_UPDATE_RESULT = f"{_SERVICE}ActionCache/UpdateActionResult"
_FIND_MISSING = f"{_SERVICE}ContentAddressableStorage/FindMissingBlobs"
_BATCH_UPDATE = f"{_SERVICE}ContentAddressableStorage/BatchUpdateBlobs"
_BATCH_READ = f"{_SERVICE}ContentAddressableStorage/BatchReadBlobs"
_METADATA = "build.bazel.remote.execution.v2.requestmetadata-bin"

_MESSAGE = 4 << 20  # bytes, what gRPC takes by default
_OVERHEAD = 64 << 10  # bytes of a message that are not blobs
_PER_BLOB = 160  # bytes beside the data of a blob
_PAGE = 10_000  # digests
_BATCH = 1_000  # blobs
_THREADS = 8  # calls with blobs at a time
_CONNECT, _SHORT, _LONG = 10.0, 10.0, 60.0  # seconds
_SLOWEST = 100_000  # bytes a second
_NOT_FOUND, _UNIMPLEMENTED = 5, 12
_API = 2  # major version


class GrpcServer:
    """A server by gRPC. Nothing is loaded or opened before the first call."""

    def __init__(self, address: Address, credentials: Credentials, guard: Guard) -> None:
        self._address = address
        self._credentials = credentials
        self._guard = guard
        self._lock = Lock()
        self._channel: Any = None
        self._known: m.ServerCapabilities | None = None
        tool = m.ToolDetails("mochi_rules", __version__)
        metadata = m.RequestMetadata(tool, str(uuid.uuid4()))
        self._answered = Answered(credentials, (_METADATA, m.encode(metadata)))

    def can_write(self) -> bool:
        """Return whether results may be written; connects."""
        update = self._cache(in_background=True).update
        return update is None or update.enabled

    def largest(self) -> int:
        """Return how large a blob may be, in bytes; 0 if the server sets no limit."""
        return self._cache(in_background=True).max_blob

    def get_result(self, key: Digest, paths: tuple[str, ...]) -> ActionResult | None:
        """Return the result of an action, perhaps with the contents of these outputs."""
        self._capabilities()
        request = m.GetActionResult(self._instance, key, inline_files=paths)
        data = self._call(_GET_RESULT, request, _SHORT, may_lack=True)
        return None if data is None else _decoded(ActionResult, data)

    def put_result(self, key: Digest, result: ActionResult) -> None:
        """Store the result of an action."""
        request = m.UpdateActionResult(self._instance, key, result)
        self._call(_UPDATE_RESULT, request, _SHORT, in_background=True)

    def missing(self, digests: Sequence[Digest]) -> set[Digest]:
        """Return those of some blobs that the server lacks."""
        found: set[Digest] = set()
        for start in range(0, len(digests), _PAGE):
            request = m.FindMissing(self._instance, tuple(digests[start : start + _PAGE]))
            data = self._call(_FIND_MISSING, request, _SHORT, in_background=True)
            found.update(_decoded(m.Missing, data or b"").digests)
        return found.intersection(digests)

    def read(self, digests: Sequence[Digest]) -> Mapping[Digest, bytes]:
        """Return those of some blobs that there are."""
        self._capabilities()
        found: dict[Digest, bytes] = {}
        work = self._batches(digests, lambda digest: digest.size)
        for part in results(concurrently(self._read_batch, work, _THREADS), is_partial=True):
            found.update(part)
        return found

    def write(self, blobs: Mapping[Digest, bytes]) -> None:
        """Store blobs."""
        work = self._batches(list(blobs), lambda digest: digest.size)
        write = lambda batch: self._write_batch({digest: blobs[digest] for digest in batch})  # noqa: E731
        results(concurrently(write, work, _THREADS))

    def close(self) -> None:
        """End the connection; calls under way fail."""
        if self._channel is not None:
            self._channel.close()

    def can_execute(self) -> bool:
        """Return whether the server may run actions, too; connects. Some do that do not say so."""
        execution = self._capabilities().execution
        return execution is None or execution.is_enabled

    @cached_property
    def execution(self) -> Execution:
        """What runs actions."""
        return Execution(self._instance, self._open, self._answered)

    @property
    def _instance(self) -> str:
        return self._address.path

    @cached_property
    def _stream(self) -> ByteStream:
        compressors = self._cache().compressors
        is_compressed = m.ZSTD in compressors and compression.is_there()
        return ByteStream(self._instance, self._open, self._answered, is_compressed=is_compressed)

    def _read_batch(self, digests: list[Digest]) -> dict[Digest, bytes]:
        if len(digests) == 1 and digests[0].size > self._batch_limit:
            limit = _LONG + digests[0].size / _SLOWEST
            data = self._stream.read(digests[0], self._guard, limit)
            return {} if data is None else {digests[0]: data}
        compressors = bytes([m.ZSTD]) if compression.is_there() else b""
        request = m.BatchRead(self._instance, tuple(digests), compressors)
        data = self._call(_BATCH_READ, request, _LONG)
        found = {}
        for item in _decoded(m.Downloads, data or b"").responses:
            if item.status is not None and item.status.code:
                if item.status.code != _NOT_FOUND:
                    raise ServerError(Kind.LASTING, f"it cannot read a blob: {_said(item.status)}")
                continue
            found[item.digest] = compression.expanded(item.data, item.digest, item.compressor)
        return found

    def _write_batch(self, blobs: dict[Digest, bytes]) -> None:
        [first, *others] = blobs
        if not others and first.size > self._batch_limit:
            limit = _LONG + first.size / _SLOWEST
            self._stream.write(first, blobs[first], self._guard, limit)
            return
        compressors = self._cache(in_background=True).batch_compressors
        zstd = m.ZSTD in compressors and compression.is_there()
        uploads = tuple(
            m.Upload(digest, *compression.packed(data, is_allowed=zstd))
            for digest, data in blobs.items()
        )
        request = m.BatchUpdate(self._instance, uploads)
        data = self._call(_BATCH_UPDATE, request, _LONG, in_background=True)
        for item in _decoded(m.BatchUpdated, data or b"").responses:
            if item.status is not None and item.status.code:
                raise ServerError(Kind.LASTING, f"it refuses a blob: {_said(item.status)}")

    def _batches(self, items: Sequence[_T], size: Callable[[_T], int]) -> Any:
        return batches(items, lambda item: size(item) + _PER_BLOB, self._batch_limit, _BATCH)

    @property
    def _batch_limit(self) -> int:
        stated = self._cache().max_batch or _MESSAGE
        return max(min(stated, _MESSAGE) - _OVERHEAD, _OVERHEAD)

    def _cache(self, *, in_background: bool = False) -> m.CacheCapabilities:
        return self._capabilities(in_background=in_background).cache or m.CacheCapabilities()

    def _capabilities(self, *, in_background: bool = False) -> m.ServerCapabilities:
        """Return what the server can do, which is asked once."""
        if self._known is not None:
            return self._known
        # Whoever asks may do so in the background, and wait longer than others can.
        limit = self._guard.allowance(_CONNECT, in_background=in_background)
        if not self._lock.acquire(timeout=limit):
            error = ServerError(
                Kind.LATE, f"it did not report its capabilities within {limit:.1f} s"
            )
            self._guard.note_failure(error)
            raise error
        try:
            if self._known is None:
                self._known = self._ask(in_background=in_background)
            return self._known
        finally:
            self._lock.release()

    def _ask(self, *, in_background: bool) -> m.ServerCapabilities:
        request = m.GetCapabilities(self._instance)
        try:
            data = self._call(_CAPABILITIES, request, _CONNECT, in_background=in_background)
        except ServerError as error:
            if error.kind is not Kind.LASTING or "UNIMPLEMENTED" not in str(error):
                raise
            return m.ServerCapabilities()  # of the first version of the API
        found = _decoded(m.ServerCapabilities, data or b"")
        if problem := _problem(found):
            refusal = ServerError(Kind.REFUSED, problem)
            self._guard.stop(refusal)
            raise refusal
        return found

    def _call(
        self,
        method: str,
        request: object,
        seconds: float,
        *,
        may_lack: bool = False,
        in_background: bool = False,
    ) -> bytes | None:
        """Return the bytes of an answer; None where `may_lack` allows that there is none."""
        message = m.encode(request)

        def work(limit: float) -> bytes | None:
            call = self._open().unary_unary(method)
            ask = lambda: call(message, timeout=limit, metadata=self._answered.headers())  # noqa: E731
            return self._answered(ask, may_lack=may_lack)

        return self._guard.call(work, seconds, in_background=in_background)

    def _open(self) -> Any:
        if self._channel is None:
            self._channel = open_channel(self._address, self._credentials)
        return self._channel


def open_channel(address: Address, credentials: Credentials) -> Any:
    """Return a channel to a server; it connects when it is used."""
    grpc = load_grpc()
    options = [
        ("grpc.enable_retries", 0),  # `Guard` does that
        ("grpc.max_receive_message_length", 2 * _MESSAGE),
        ("grpc.primary_user_agent", f"mochi_rules/{__version__}"),
    ]
    target = f"{address.host}:{address.port}"
    if not address.is_secure:
        return grpc.insecure_channel(target, options)
    tls = credentials.tls()
    secrets = grpc.ssl_channel_credentials(tls.ca, tls.key, tls.certificate)
    return grpc.secure_channel(target, secrets, options)


def load_grpc() -> Any:
    """Return the module, with its own logging turned off."""
    # What it logs is in the errors, too. No child of ours continues without `exec`.
    names = {"GRPC_VERBOSITY": "NONE", "GRPC_ENABLE_FORK_SUPPORT": "0"}
    absent = [name for name in names if name not in os.environ]
    os.environ.update({name: names[name] for name in absent})
    try:
        import grpc  # noqa: PLC0415 - takes 130 ms, and needs an extra
    finally:
        for name in absent:
            os.environ.pop(name)
    return grpc


def _decoded(message: type[_T], data: bytes) -> _T:
    try:
        return m.decode(message, data)
    except WireError as error:
        raise ServerError(Kind.LASTING, f"its answer is malformed: {error}") from None


def _said(status: m.Status) -> str:
    return one_line(status.message) or f"status {status.code}"


def _problem(found: m.ServerCapabilities) -> str:
    """Return why a server does not fit, or nothing."""
    low = found.low_version or m.SemVer(_API)
    high = found.high_version or m.SemVer(_API)
    if not low.major <= _API <= high.major:
        return f"it speaks version {low.major}.{low.minor} of the API, not version {_API}"
    functions = found.cache.digest_functions if found.cache else b""
    if functions and m.SHA256 not in functions:
        return "it does not support SHA-256"
    return ""
