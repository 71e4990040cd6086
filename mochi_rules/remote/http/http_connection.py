"""Connections by HTTP whose whole exchanges have a deadline, not each read."""

from __future__ import annotations

import io
import socket
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from mochi_rules.remote.http.http_message import Answer, Request, read_answer, request_bytes

if TYPE_CHECKING:
    import ssl

    from mochi_rules.remote.settings import Address

_SHORTEST = 0.001  # seconds; a socket takes 0 for something else
_PORTS = (80, 443)  # of both kinds; no request names its own


class _TimedSocket(io.RawIOBase):
    """A socket as a file; `until` is a time of the monotonic clock."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.until = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._left())
        return self._sock.recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        """Send all bytes."""
        self._sock.settimeout(self._left())
        self._sock.sendall(data)

    def shut(self) -> None:
        """Let whoever sends or receives in another thread fail."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._sock.close()
        super().close()

    def _left(self) -> float:
        return max(self.until - time.monotonic(), _SHORTEST)


class Connection:
    """A connection that is kept; not safe for threads."""

    def __init__(self, address: Address, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._tls = tls
        is_usual = address.port == _PORTS[address.is_secure]
        self._host = address.host if is_usual else f"{address.host}:{address.port}"
        self._socket: _TimedSocket | None = None
        self._received: io.BufferedReader | None = None

    def exchange(self, request: Request, seconds: float, most: int) -> Answer:
        """Return an answer, with at most so many bytes and one of its body.

        Raises:
            OSError: It failed; the connection can be used again.
            ValueError: The request is none of HTTP.
        """
        until = time.monotonic() + seconds
        data = request_bytes(request, self._host)
        if self._socket is None or self._received is None:
            self._socket = _TimedSocket(self._connect(seconds))
            self._received = io.BufferedReader(self._socket)
        self._socket.until = until
        try:
            self._socket.sendall(data)
            answer = read_answer(self._received, request.method, most)
        except BaseException:
            self.close()
            raise
        if answer.is_last:
            self.close()
        return answer

    def abort(self) -> None:
        """Let an exchange under way in another thread fail."""
        if self._socket is not None:
            self._socket.shut()

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket = self._received = None

    def _connect(self, seconds: float) -> socket.socket:
        """Connect, in a thread that is left alone when the time is up: a resolver has no deadline.

        Raises:
            OSError: It failed.
        """
        host = self._address.host.strip("[]")
        ended: SimpleQueue[socket.socket | Exception] = SimpleQueue()

        def connect() -> None:
            try:
                sock = socket.create_connection((host, self._address.port), seconds)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ended.put(self._tls.wrap_socket(sock, server_hostname=host) if self._tls else sock)
            except Exception as error:  # noqa: BLE001 - raised again below
                ended.put(error)

        Thread(target=connect, daemon=True).start()
        try:
            found = ended.get(timeout=seconds)
        except Empty:
            raise TimeoutError(f"no connection within {seconds:.1f} s") from None
        if isinstance(found, Exception):
            raise found
        return found
