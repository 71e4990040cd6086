"""A cache server in this process, for a build that is restored from one: Bazel's HTTP protocol."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class MemoryCache:
    """What a server keeps: `url` is where, and `found` how many requests it could answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.found = 0
        self.blobs: dict[str, bytes] = {}


@contextmanager
def memory_cache() -> Iterator[MemoryCache]:
    """Serve on this machine alone, at a port that is free."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            data = cache.blobs.get(self.path)
            cache.found += data is not None
            self._answer(404 if data is None else 200, data or b"")

        def do_HEAD(self) -> None:
            self._answer(200 if self.path in cache.blobs else 404)

        def do_PUT(self) -> None:
            cache.blobs[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(200)

        def _answer(self, status: int, data: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        cache = MemoryCache(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield cache
        finally:
            server.shutdown()
