"""Large blobs, in parts: reads and writes continue where they broke off.

Source: google/bytestream/bytestream.proto, and the names of resources in remote_execution.proto.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from mochi_rules.cache.wire import WireError
from mochi_rules.remote.grpc import compression
from mochi_rules.remote.grpc import messages as m
from mochi_rules.remote.trouble import Kind, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.base.digest import Digest
    from mochi_rules.remote.grpc.grpc_errors import Answered
    from mochi_rules.remote.trouble import Guard

_READ = "/google.bytestream.ByteStream/Read"
_WRITE = "/google.bytestream.ByteStream/Write"
_QUERY = "/google.bytestream.ByteStream/QueryWriteStatus"
_CHUNK = 256 << 10  # bytes
_ALL = -1  # what a server says that has a compressed blob already


class ByteStream:
    """The blobs of a server that fit in no single message.

    `open` returns the channel, and `answered` makes a call; the rest is as in `GrpcServer`.
    """

    def __init__(
        self,
        instance: str,
        open_channel: Callable[[], Any],
        answered: Answered,
        *,
        is_compressed: bool,
    ) -> None:
        self._prefix = f"{instance}/" if instance else ""
        self._open = open_channel
        self._answered = answered
        self._kind = "compressed-blobs/zstd" if is_compressed else "blobs"
        self._is_compressed = is_compressed

    def read(self, digest: Digest, guard: Guard, seconds: float) -> bytes | None:
        """Return a blob, or None where there is none.

        Raises:
            ServerError: It could not be fetched.
        """
        name = f"{self._prefix}{self._kind}/{digest.hash}/{digest.size}"
        data = bytearray()
        work = lambda limit: self._read_on(name, digest.size, data, limit)  # noqa: E731
        return bytes(data) if guard.call(work, seconds) else None

    def write(self, digest: Digest, data: bytes, guard: Guard, seconds: float) -> None:
        """Store a blob, in the background.

        Raises:
            ServerError: It cannot be stored.
        """
        name = f"{self._prefix}uploads/{uuid.uuid4()}/{self._kind}/{digest.hash}/{digest.size}"
        content = compression.packed(data, is_allowed=True)[0] if self._is_compressed else data
        has_begun: list[bool] = []

        def work(limit: float) -> None:
            start = self._committed(name, limit) if has_begun else 0
            has_begun.append(True)
            self._write_on(name, content, start if 0 <= start <= len(content) else 0, limit)

        guard.call(work, seconds, in_background=True)

    def _read_on(self, name: str, size: int, data: bytearray, limit: float) -> bool:
        """Append the rest of a blob to its first part; return whether the blob exists."""
        expander = compression.Expander(size - len(data)) if self._is_compressed else None
        request = m.encode(m.Read(name, len(data)))

        def read() -> bool:
            call = self._open().unary_stream(_READ)
            chunks = call(request, timeout=limit, metadata=self._answered.headers())
            for message in chunks:
                part = m.decode(m.Chunk, message).data
                data.extend(expander.add(part) if expander else part)
                if len(data) > size:
                    chunks.cancel()
                    raise ServerError(Kind.LASTING, "it sends a blob that is larger than announced")
            if len(data) < size:
                raise ServerError(Kind.PASSING, f"it sends {len(data)} of {size} bytes")
            return True

        try:
            return self._answered(read, may_lack=True) is not None
        except WireError as error:
            raise ServerError(Kind.LASTING, f"its answer is malformed: {error}") from None

    def _write_on(self, name: str, content: bytes, start: int, limit: float) -> None:
        def write() -> bytes:
            call = self._open().stream_unary(_WRITE)
            parts = _parts(name, content, start)
            answer: bytes = call(parts, timeout=limit, metadata=self._answered.headers())
            return answer

        written = self._size(self._answered(write))
        if written != len(content) and not (self._is_compressed and written == _ALL):
            raise ServerError(Kind.PASSING, f"it has kept {written} of {len(content)} bytes")

    def _committed(self, name: str, limit: float) -> int:
        """Return how far an interrupted write came."""
        request = m.encode(m.QueryWrite(name))

        def query() -> bytes:
            call = self._open().unary_unary(_QUERY)
            answer: bytes = call(request, timeout=limit, metadata=self._answered.headers())
            return answer

        try:
            return self._size(self._answered(query, may_lack=True))
        except ServerError:
            return 0

    def _size(self, answer: bytes | None) -> int:
        try:
            return m.decode(m.Written, answer or b"").size
        except WireError as error:
            raise ServerError(Kind.LASTING, f"its answer is malformed: {error}") from None


def _parts(name: str, content: bytes, start: int) -> Iterator[bytes]:
    """Yield the requests of a write; the first has the name."""
    for at in range(start, max(len(content), start + 1), _CHUNK):
        data = content[at : at + _CHUNK]
        is_last = at + _CHUNK >= len(content)
        yield m.encode(m.Write(name if at == start else "", at, is_last, data))
