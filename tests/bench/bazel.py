"""Hits a second of our builds and of Bazel's from one server; neither disturbs the other.

    npm pack @bazel/bazel-linux_x64@2.1.0      # the archive has a Bazel, for PATH as `bazel`
    python -m tests.bench.bazel [MODULES]

Both fill an nginx and a BuildGrid at the same time, and then restore from them in turns: all that
they have built, byte for byte. (That Bazel speaks a version of the API that buildbox-casd refuses.)
Bazel's server goes on running between its builds, unless it is called cold; each of ours is a new
process. What is left of it without SCons, placing outputs and keeping them on this machine is shown
by the line `calls`. With `TMPDIR=/dev/shm` no time goes to the disk: ext4 is slow to make files
just after as many were removed.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.remote.grpc.grpc_server import load_grpc
from mochi_rules.remote.settings import remote_settings
from tests.bench.remote_calls import fetch, machine, make_actions, use
from tests.bench.repository import write_repository
from tests.servers import buildgrid, nginx

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3
_RULES = """\
[genrule(name="rule%d" % i, outs=["out%d" % i], cmd="printf %%012800d %d > $@" % i)
 for i in range({count})]
"""
_HITS = re.compile(r"(\d+) remote cache hit|\((\d+) remote")


@dataclass(frozen=True)
class Client:
    """What builds a workspace: its commands to build and to forget, and where outputs are.

    `stop` ends what goes on running between builds.
    """

    root: Path
    build: str
    clean: str
    outputs: str
    stop: str = "true"

    def start(self) -> subprocess.Popen[str]:
        """Begin to build, with nothing on this machine."""
        self._run(self.clean).communicate()
        return self._run(self.build)

    def restore(self, *, is_cold: bool = False) -> float:
        """Return how many results a second came from the server."""
        self._run(self.clean).communicate()
        if is_cold:
            self._run(self.stop).communicate()
        process = self._run(self.build)
        began = time.perf_counter()
        said, _ = process.communicate()
        seconds = time.perf_counter() - began
        found = _HITS.search(said)
        assert found, said
        assert not process.returncode, said
        return int(found[1] or found[2]) / seconds

    def built(self) -> dict[Path, bytes]:
        """Return what was built, by path."""
        return {path: path.read_bytes() for path in self.root.glob(self.outputs) if path.is_file()}

    def _run(self, command: str) -> subprocess.Popen[str]:
        pipe, both = subprocess.PIPE, subprocess.STDOUT
        words = ["sh", "-c", command]
        return subprocess.Popen(words, cwd=self.root, stdout=pipe, stderr=both, text=True)


@contextmanager
def bazel(folder: Path, url: str, count: int) -> Iterator[Client]:
    """Give Bazel, and a workspace of so many actions."""
    root = folder / "theirs"
    root.mkdir()
    (root / "WORKSPACE").touch()
    (root / "BUILD").write_text(_RULES.format(count=count))
    address = remote_settings({"remote": url}, {}, {}, folder).address
    assert address
    server = f"{address.scheme}://{address.host}:{address.port}"
    instance = f"--remote_instance_name={address.path}" if address.path else ""
    start = f"exec bazel --output_user_root={folder}/bazel"
    build = f"{start} build //... --spawn_strategy=local --remote_cache={server} {instance}"
    stop = f"{start} shutdown"
    yield Client(root, build, f"{start} clean", "bazel-bin/out*", stop)
    subprocess.run(["sh", "-c", stop], cwd=root, check=True)


def ours(folder: Path, url: str, modules: int) -> Client:
    """Return ourselves, and a workspace of so many modules."""
    root = folder / "ours"
    write_repository(root, modules)
    scons = f"{sys.executable} -m SCons -Q -j2 link=none remote={url} remote_require=yes"
    build = f"XDG_CACHE_HOME={folder}/cache exec {scons} remote_upload=wait"
    return Client(root, build, f"rm -rf build {folder}/cache", "build/*-release/**/*")


def main() -> None:
    """Measure and print."""
    modules = int(sys.argv[1]) if len(sys.argv) > 1 else 320
    for server in (nginx, buildgrid):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "server").mkdir()
            with (
                server(folder / "server") as url,
                bazel(folder, url, 1000) as theirs,
            ):
                print(server.__name__, flush=True)
                measure({"ours": ours(folder, url, modules), "Bazel": theirs})
                measure_calls(folder, url)


def measure(clients: dict[str, Client]) -> None:
    """Let both fill the server, and restore from it."""
    for process in [client.start() for client in clients.values()]:
        said, _ = process.communicate()
        assert not process.returncode, said
        assert "warning" not in said, said
    built = {name: client.built() for name, client in clients.items()}
    kinds = {"ours": ("ours", False), "Bazel": ("Bazel", False), "Bazel, cold": ("Bazel", True)}
    rates: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(ROUNDS + 1):  # the first warms up
        for kind, (name, is_cold) in kinds.items():
            rate = clients[name].restore(is_cold=is_cold)
            rates[kind] += [rate] if number else []
            assert clients[name].built() == built[name] != {}, "other bytes"
    for name, found in rates.items():
        print(
            f"  {name:11} {statistics.median(found):6.0f} hits/s, best {max(found):.0f}", flush=True
        )


def measure_calls(folder: Path, url: str) -> None:
    """Fetch results of the same size as Bazel's, without a build."""
    load_grpc()
    actions = make_actions()
    use(machine(folder / "writer", url, upload="wait", require="yes"), actions)
    for number in range(ROUNDS):
        fetch("  calls", machine(folder / f"reader{number}", url, require="yes"), actions)


if __name__ == "__main__":
    main()
