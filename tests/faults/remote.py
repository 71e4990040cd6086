"""Servers that lie and connections that break, before a local tier that is damaged.

A machine looks results up and stores others. Bytes on the way are cut, changed or held back, and
what the server has is changed; entries are signed, so that a wrong one can be told.
"""

from __future__ import annotations

import dataclasses
import shutil
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.explain import key_record
from mochi_rules.cache.key import ActionSpec
from mochi_rules.cache.key import prepare as prepare_action
from mochi_rules.cache.messages import ActionResult, decode, encode
from mochi_rules.cache.tiers import TieredCache
from mochi_rules.remote.settings import remote_settings
from mochi_rules.remote.tier import RemoteTier
from mochi_rules.steps.caches import open_cache
from tests.faults.faults import damage
from tests.faults.harness import Wrong
from tests.servers import new_key
from tests.unit.remote.fake_server import FakeServer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from mochi_rules.cache.key import PreparedAction

_ENTRIES, _ASKED = 12, 5
_PATIENCE = 0.2  # seconds that a case waits for its server
_LONGEST = 5.0  # seconds for a case, on a loaded machine
_NEVER = 1 << 40
_LARGE = 4_300_000  # bytes: sent in parts


class Chaos:
    """Passes bytes on to a server, until a case wants something else.

    A fault strikes when so many bytes have come from the server, or gone to it.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.at, self.way, self.is_down = _NEVER, "", True
        threading.Thread(target=self._accept, daemon=True).start()

    def arrange(self, chance: random.Random) -> None:
        """Let something go wrong, or nothing."""
        self.way = chance.choice(("", "cut", "flip", "silence", "garbage"))
        self.is_down = chance.random() < 0.8
        self.at = chance.choice((chance.randrange(200), chance.randrange(20_000)))
        self.at = self.at if self.way else _NEVER

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(("127.0.0.1", self._target))
            for source, target, is_down in ((near, far, False), (far, near, True)):
                arguments = (source, target, is_down == self.is_down)
                threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_faulty: bool) -> None:  # noqa: FBT001
        done = 0
        with suppress(OSError):
            while data := source.recv(1 << 16):
                at = self.at - done
                if is_faulty and at < len(data):
                    if self.way == "silence":
                        return
                    target.sendall(self._spoilt(data, max(at, 0)))
                    if self.way == "cut":
                        break
                else:
                    target.sendall(data)
                done += len(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _spoilt(self, data: bytes, at: int) -> bytes:
        if self.way == "flip":
            self.at = _NEVER
            return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        if self.way == "garbage":
            return data[:at] + b"\xff" * (len(data) - at)
        return data[:at]


class Handler(BaseHTTPRequestHandler):
    """Bazel's HTTP protocol over the store of a server by gRPC."""

    protocol_version = "HTTP/1.1"
    store: FakeServer

    def do_GET(self) -> None:
        """Return a result or a blob."""
        kind, name = self.path.strip("/").split("/")
        if kind == "ac":
            result = self.store.results.get(name)
            data = None if result is None else encode(result)
        else:
            data = self.store.blobs.get(name)
            data = None if data is None else self.store.faults.change(data)
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        if self.command == "GET":
            with suppress(OSError):  # the client is gone
                self.wfile.write(data or b"")

    do_HEAD = do_GET  # noqa: N815 - as the base class wants it

    def do_PUT(self) -> None:
        """Keep a result or a blob."""
        kind, name = self.path.strip("/").split("/")
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if kind == "ac":
            self.store.results[name] = decode(ActionResult, data)
        elif digest_bytes(data).hash == name:
            self.store.blobs[name] = data
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class HttpServer(ThreadingHTTPServer):
    """Serves requests that may be anything."""

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing of a request that could not be understood."""


class Cases:
    """A server with entries, by two protocols, and the caches of machines that use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._public = new_key(folder / "ci.pem")
        self._server = FakeServer()
        handler = type("Ours", (Handler,), {"store": self._server})
        http = HttpServer(("127.0.0.1", 0), handler)
        threading.Thread(target=http.serve_forever, daemon=True).start()
        ports = {"grpc": self._server.port, "http": http.server_port}
        self._chaos = {scheme: Chaos(port) for scheme, port in ports.items()}
        self._entries = [_entry(number) for number in range(_ENTRIES)]
        writer = self._machine("writer", self._server.url, signing_key="ci.pem", upload="wait")
        for action, outputs in self._entries:
            writer.store(action, outputs, stderr=b"said", seconds=0.0)
        writer.flush()
        self._blobs, self._results = dict(self._server.blobs), dict(self._server.results)

    def run(self, chance: random.Random) -> str:
        """Look up and store, while something goes wrong; return how the lookups ended."""
        self._server.blobs, self._server.results = dict(self._blobs), dict(self._results)
        self._spoil(chance)
        scheme = chance.choice(("grpc", "grpc", "http"))
        chaos = self._chaos[scheme]
        chaos.arrange(chance)
        shutil.rmtree(self._folder / "reader", ignore_errors=True)
        url = f"{scheme}://127.0.0.1:{chaos.port}"
        key = {"signing_key": "ci.pem"} if chance.random() < 0.3 else {}
        cache = self._machine("reader", url, **key)
        began = time.monotonic()
        if chance.random() < 0.2:
            _compare(cache, [action for action, _ in self._entries])
        hits = sum(self._look_up(cache, chance) for _ in range(2))
        cache.flush()
        if time.monotonic() - began > _LONGEST:
            raise Wrong(f"{scheme}, {chaos.way}: it took {time.monotonic() - began:.1f} s")
        return "hits" if hits == 2 * _ASKED else "some" if hits else "none"

    def _look_up(self, cache: TieredCache, chance: random.Random) -> int:
        hits = 0
        for action, outputs in chance.sample(self._entries, _ASKED):
            hit = cache.lookup(action)
            if hit is None:
                cache.store(action, outputs)
            elif hit.outputs != outputs:
                raise Wrong(f"other bytes for {action.key.short}")
            hits += hit is not None
        root = cache.root
        if root is not None and root.exists() and chance.random() < 0.3:
            damage(root, chance, 3)
        return hits

    def _spoil(self, chance: random.Random) -> None:
        """Change what the server has."""
        for _ in range(chance.choice((0, 0, 1, 5))):
            name = chance.choice(list(self._server.blobs))
            other = chance.choice(list(self._blobs.values()))
            data = self._server.blobs[name]
            changed = chance.choice((None, data[:-1], data + b"x", other, b""))
            if changed is None:
                del self._server.blobs[name]
            else:
                self._server.blobs[name] = changed
            name, other_result = chance.sample(list(self._server.results.items()), 2)
            self._server.results[name[0]] = chance.choice((
                other_result[1],
                dataclasses.replace(name[1], exit_code=1),
                dataclasses.replace(name[1], output_files=other_result[1].output_files),
                dataclasses.replace(name[1], execution_metadata=None),
                ActionResult(),
            ))  # fmt: skip

    def _machine(self, name: str, url: str, **table: object) -> TieredCache:
        writers = {"trusted_writers": {"ci": self._public}}
        settings = remote_settings({"remote": url}, {}, {**writers, **table}, self._folder)
        cache = open_cache(self._folder / name, settings, lambda _: None)
        assert isinstance(cache, TieredCache)
        assert isinstance(cache.shared, RemoteTier)
        if name == "reader":
            cache.shared.patience.add(_PATIENCE - cache.shared.patience.left)
        return cache


def _compare(cache: TieredCache, actions: list[PreparedAction]) -> None:
    """Ask for other keys of targets, each of which has but one."""
    records = {action.spec.target: key_record("", action) for action in actions}
    if any(cache.shared.other_keys(records).values()):
        raise Wrong("another key of a target")


def _entry(number: int) -> tuple[PreparedAction, dict[str, bytes]]:
    size = _LARGE if not number else 50 * number**2
    data = digest_bytes(str(number).encode()).hash.encode() * (size // 64 + 1)
    spec = ActionSpec("aot", (str(number),), {}, {}, ("one", "two"), target=str(number))
    action = prepare_action(spec)
    return action, {"one": data, "two": b"%d" % number}


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what uses a server in trouble."""
    return Cases(folder).run
