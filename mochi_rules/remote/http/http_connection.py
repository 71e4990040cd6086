"""Connections by HTTP whose whole exchanges have a deadline, not each read."""

from __future__ import annotations

import http.client
import io
import socket
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

    from mochi_rules.remote.settings import Address

_SHORTEST = 0.001  # seconds; a socket takes 0 for something else


class TimedSocket:
    """A socket, as far as `http.client` needs one; `until` is a time of the monotonic clock."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.until = 0.0

    def sendall(self, data: bytes) -> None:
        """Send all bytes."""
        self._sock.settimeout(self._left())
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what is received, as a file."""
        return io.BufferedReader(_Received(self))

    def recv_into(self, buffer: Any) -> int:
        """Receive some bytes."""
        self._sock.settimeout(self._left())
        return self._sock.recv_into(buffer)

    def shut(self) -> None:
        """Let whoever sends or receives in another thread fail."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()

    def _left(self) -> float:
        return max(self.until - time.monotonic(), _SHORTEST)


class _Received(io.RawIOBase):
    def __init__(self, sock: TimedSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.recv_into(buffer)


class Connection:
    """A connection that is kept; not safe for threads."""

    def __init__(self, address: Address, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._tls = tls
        self._http = self._closed()

    def exchange(
        self, request: tuple[str, str, bytes | None, dict[str, str]], seconds: float, most: int
    ) -> tuple[int, bytes, str]:
        """Return the status of an answer, at most so many bytes and one of it, `Retry-After`.

        `request` is method, path, body and headers.

        Raises:
            OSError, http.client.HTTPException: It failed; the connection can be used again.
        """
        until = time.monotonic() + seconds
        connection: Any = self._http
        if not connection.sock:
            connection.timeout = seconds
            self._connect(seconds)
            connection.sock = TimedSocket(connection.sock)
        connection.sock.until = until
        try:
            connection.request(*request)
            answer = connection.getresponse()
            data = answer.read(most + 1)
            if not answer.isclosed():
                connection.close()
        except BaseException:
            connection.close()
            raise
        return answer.status, data, answer.getheader("Retry-After", "")

    def abort(self) -> None:
        """Let an exchange under way in another thread fail."""
        sock = self._http.sock
        if isinstance(sock, TimedSocket):
            sock.shut()

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def _closed(self) -> Any:
        host, port = self._address.host.strip("[]"), self._address.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port)
        return http.client.HTTPSConnection(host, port, context=self._tls)

    def _connect(self, seconds: float) -> None:
        """Connect, in a thread that is left alone when the time is up: a resolver has no deadline.

        Raises:
            OSError: It failed.
        """
        connection = self._http
        ended: SimpleQueue[Exception | None] = SimpleQueue()

        def connect() -> None:
            try:
                connection.connect()
                ended.put(None)
            except Exception as error:  # noqa: BLE001 - raised again below
                ended.put(error)

        Thread(target=connect, daemon=True).start()
        try:
            error = ended.get(timeout=seconds)
        except Empty:
            self._http = self._closed()
            raise TimeoutError(f"no connection within {seconds:.1f} s") from None
        if error is not None:
            raise error
