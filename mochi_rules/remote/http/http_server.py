"""A server of Bazel's HTTP cache protocol: `/ac/` and `/cas/` below a URL, by GET, PUT and HEAD.

Source: bazel.build, "Remote Caching", "HTTP caching protocol".
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from mochi_rules import __version__
from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.files import reason
from mochi_rules.cache.messages import ActionResult, decode, encode
from mochi_rules.cache.wire import WireError
from mochi_rules.remote.http.http_connection import Connection
from mochi_rules.remote.http.http_message import Request
from mochi_rules.remote.server import concurrently, results
from mochi_rules.remote.trouble import Kind, ServerError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from mochi_rules.base.digest import Digest
    from mochi_rules.remote.credentials import Credentials
    from mochi_rules.remote.settings import Address
    from mochi_rules.remote.trouble import Guard

_THREADS = 16  # connections
_SHORT = 10.0  # seconds
_SLOWEST = 100_000  # bytes a second
_MAX_RESULT = 4 << 20  # bytes
_ASKED = 16 << 10  # bytes; what is smaller is sent without asking
_FOUND = (200, 201, 202, 204)
_LACKING = (404, 410)
_EXPIRED = 401
_REFUSED = (_EXPIRED, 403, 407)
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_DIGITS = 5  # of seconds to wait, at most


class HttpServer:
    """A server by HTTP. A connection is opened when a thread first needs one, and kept."""

    def __init__(self, address: Address, credentials: Credentials, guard: Guard) -> None:
        self._address = address
        self._credentials = credentials
        self._guard = guard
        self._lock = Lock()
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._tls: ssl.SSLContext | None = None

    def can_write(self) -> bool:
        """Return whether results may be written: it is found out by writing."""
        return True

    def largest(self) -> int:
        """Return 0: the protocol does not limit the size of a blob."""
        return 0

    def get_result(self, key: Digest, paths: tuple[str, ...]) -> ActionResult | None:  # noqa: ARG002
        """Return the result of an action."""
        data = self._get(f"ac/{key.hash}", _MAX_RESULT)
        if data is None:
            return None
        try:
            return decode(ActionResult, data)
        except WireError as error:
            raise ServerError(Kind.LASTING, f"its answer is malformed: {error}") from None

    def put_result(self, key: Digest, result: ActionResult) -> None:
        """Store the result of an action."""
        self._put(f"ac/{key.hash}", encode(result))

    def missing(self, digests: Sequence[Digest]) -> set[Digest]:
        """Return those of some blobs that the server lacks, or that are as quickly sent."""
        asked = [digest for digest in digests if digest.size >= _ASKED]
        there = results(concurrently(self._has, asked, _THREADS))
        return set(digests) - {digest for digest, is_there in zip(asked, there, strict=True)
                               if is_there}  # fmt: skip

    def read(self, digests: Sequence[Digest]) -> Mapping[Digest, bytes]:
        """Return those of some blobs that there are."""
        get = lambda digest: (digest, self._get(f"cas/{digest.hash}", digest.size))  # noqa: E731
        answers = concurrently(get, digests, self._guard.threads(_THREADS))
        found = results(answers, is_partial=True)
        return {digest: data for digest, data in found if data is not None}

    def write(self, blobs: Mapping[Digest, bytes]) -> None:
        """Store blobs."""
        put = lambda digest: self._put(f"cas/{digest.hash}", blobs[digest])  # noqa: E731
        results(concurrently(put, blobs, _THREADS))

    def close(self) -> None:
        """End the connections; calls under way fail."""
        with self._lock:
            busy = list(self._busy)
        for connection in busy:
            connection.abort()
        self._close_idle()

    def _close_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _has(self, digest: Digest) -> bool:
        work = lambda limit: self._ask("HEAD", f"cas/{digest.hash}", limit)  # noqa: E731
        return self._guard.call(work, _SHORT, in_background=True) is not None

    def _get(self, name: str, most: int) -> bytes | None:
        limit = _SHORT + most / _SLOWEST
        return self._guard.call(lambda limit: self._ask("GET", name, limit, most=most), limit)

    def _put(self, name: str, data: bytes) -> None:
        limit = _SHORT + len(data) / _SLOWEST
        work = lambda limit: self._ask("PUT", name, limit, data)  # noqa: E731
        self._guard.call(work, limit, in_background=True)

    def _ask(
        self, method: str, name: str, limit: float, body: bytes | None = None, most: int = 0
    ) -> bytes | None:
        """Return the body of an answer, None for what is not there."""
        status, data, delay = self._exchange(method, name, limit, body, most)
        if status == _EXPIRED and self._credentials.refresh():
            status, data, delay = self._exchange(method, name, limit, body, most)
        if status in _FOUND:
            return data
        if status in _LACKING and method != "PUT":
            return None
        kind = Kind.PASSING if status in _PASSING else Kind.LASTING
        kind = Kind.REFUSED if status in _REFUSED else kind
        raise ServerError(kind, f"HTTP {status} for {method} {name[:12]}...", delay)

    def _exchange(
        self, method: str, name: str, limit: float, body: bytes | None, most: int
    ) -> tuple[int, bytes, float | None]:
        """Return status, body and wish for a pause of one request."""
        path = "/".join(filter(None, (self._address.path, name)))
        connection = self._connection()
        try:
            request = Request(method, f"/{path}", body, self._headers())
            answer = connection.exchange(request, limit, most)
        except TimeoutError:
            raise ServerError(Kind.LATE, f"no answer within {limit:.1f} s") from None
        except OSError as error:
            self._close_idle()  # the others are no better, after a restart of the server
            raise ServerError(Kind.PASSING, reason(error)) from None
        except ValueError as error:
            raise ServerError(Kind.LASTING, str(error)) from None
        finally:
            with self._lock:
                self._busy.discard(connection)
        with self._lock:
            self._idle.append(connection)
        delay = answer.retry_after
        is_time = delay.isdecimal() and len(delay) < _DIGITS
        return answer.status, answer.data, float(delay) if is_time else None

    def _connection(self) -> Connection:
        """Return an idle connection, or a new one."""
        with self._lock:
            if self._idle:
                self._busy.add(connection := self._idle.pop())
                return connection
        connection = Connection(self._address, self._context())
        with self._lock:
            self._busy.add(connection)
        return connection

    def _headers(self) -> dict[str, str]:
        return {"User-Agent": f"mochi_rules/{__version__}", **dict(self._credentials.headers())}

    def _context(self) -> ssl.SSLContext | None:
        """Return what is known of certificates, where the connection is encrypted."""
        if not self._address.is_secure:
            return None
        with self._lock:
            if self._tls is None:
                self._tls = tls_context(self._credentials)
            return self._tls


def tls_context(credentials: Credentials) -> ssl.SSLContext:
    """Return the settings of an encrypted connection.

    Emits: K021.

    Raises:
        MochiError: A file is not what it should be.
    """
    import ssl  # noqa: PLC0415 - takes 20 ms

    tls = credentials.tls()
    try:
        context = ssl.create_default_context(cadata=tls.ca.decode() if tls.ca else None)
        if tls.files:
            context.load_cert_chain(*tls.files)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise environment_error("K021", f"a certificate cannot be used: {error}") from None
    return context
