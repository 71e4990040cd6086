"""Builds restored from a server, against the same from this machine's cache.

    python -m tests.bench.remote [MODULES]

Of 20 modules 15 are programs of four steps. Needs `buildbox-casd`; the latency is that of a proxy.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.measure import in_turns, run_once
from tests.bench.repository import write_repository
from tests.servers import casd

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3
LATENCY = 0.02  # seconds, each way
SLOW = 10_000  # bytes a second
_PIECE = 1 << 16


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 320
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "ours"
        write_repository(root, count)
        (folder / "server").mkdir()
        with servers(folder / "server") as urls:
            measure(folder, root, urls)


def measure(folder: Path, root: Path, urls: dict[str, str]) -> None:
    """Fill the cache and the server, and restore from them."""
    os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
    scons = f"{sys.executable} -m SCons -Q -s -j2 -C {root} link=none"
    upload = f"remote={urls['loopback']} remote_upload=wait remote_require=yes"
    run_once(["sh", "-c", f"{scons} {upload}"])
    new = f"rm -rf {root}/build {folder}/new; XDG_CACHE_HOME={folder}/new exec {scons}"
    read = "remote_mode=read remote_require=yes"  # or else a busy machine builds some itself
    commands = {"local": ["sh", "-c", f"rm -rf {root}/build; exec {scons}"]}
    for name in ("loopback", "20 ms"):
        commands[name] = ["sh", "-c", f"{new} remote={urls[name]} {read}"]
    costs = in_turns(commands, ROUNDS)
    for name, cost in costs.items():
        wall, cpu = cost.wall / costs["local"].wall, cost.cpu / costs["local"].cpu
        print(f"{name:9} {cost.wall:6.2f} s: {wall:.2f} x; CPU {cost.cpu:6.2f} s: {cpu:.2f} x")
    only = "//part0:app0"
    builds = {"without": ["sh", "-c", f"{new} {only}"]}
    for name in ("silent", "slow", "dead"):
        builds[name] = ["sh", "-c", f"{new} remote={urls[name]} {only}"]
    without = 0.0
    for name, cost in in_turns(builds, ROUNDS).items():
        without = without or cost.wall
        print(f"{name:9} {cost.wall:6.2f} s: {cost.wall - without:+.2f} s")


@contextmanager
def servers(folder: Path) -> Iterator[dict[str, str]]:
    """Give the URLs of a server by ways of each kind, and of what is none."""
    with (
        casd(folder) as url,
        proxy(url, LATENCY) as far,
        proxy(url, 0, SLOW) as slow,
        silent() as mute,
    ):
        yield {"loopback": url, "20 ms": far, "silent": mute, "slow": slow,
               "dead": "grpc://127.0.0.1:9"}  # fmt: skip


@contextmanager
def silent() -> Iterator[str]:
    """Give the URL of what accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"grpc://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def proxy(url: str, latency: float, rate: int = 0) -> Iterator[str]:
    """Give the URL of a server that is further away: a process passes on what is sent there."""
    port = url.rpartition(":")[2]
    command = [sys.executable, "-m", "tests.bench.remote", "proxy", port, str(latency), str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"grpc://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


def serve(port: int, latency: float, rate: int) -> None:
    """Pass on what comes, later or slowly."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            near, _ = server.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for one, other in ((near, far), (far, near)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                queue: deque[tuple[float, bytes]] = deque()
                ready = threading.Semaphore(0)
                threading.Thread(target=_receive, args=(one, queue, ready, latency)).start()
                threading.Thread(target=_send, args=(other, queue, ready, rate)).start()


def _receive(source, queue, ready, latency: float) -> None:
    while True:
        try:
            data = source.recv(_PIECE)
        except OSError:
            data = b""
        queue.append((time.monotonic() + latency, data))
        ready.release()
        if not data:
            return


def _send(target, queue, ready, rate: int) -> None:
    while True:
        ready.acquire()
        due, data = queue.popleft()
        time.sleep(max(due - time.monotonic(), 0))
        if not data:
            target.close()
            return
        try:
            for at in range(0, len(data), rate // 10 or len(data)):
                target.sendall(data[at : at + (rate // 10 or len(data))])
                time.sleep(0.1 if rate else 0)
        except OSError:
            return


if __name__ == "__main__":
    if sys.argv[1:2] == ["proxy"]:
        serve(int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
    main()
