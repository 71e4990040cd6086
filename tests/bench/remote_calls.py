"""What a server costs a build, in one process: without SCons, and so also on a busy machine.

    python -m tests.bench.remote_calls

1,000 results of four levels are fetched from a server that is near, and from one that is 20 ms
away, each way. Then 40 results are looked up and stored, while the server is dead, silent, or slow
(10 kB/s). Needs `buildbox-casd`.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.key import ActionSpec, PreparedAction, prepare
from mochi_rules.cache.tiers import TieredCache
from mochi_rules.remote.grpc.grpc_server import load_grpc
from mochi_rules.remote.settings import remote_settings
from mochi_rules.steps.caches import open_cache
from tests.bench.remote import servers

RESULTS, LEVELS = 1000, 4
LOOKED_UP = 40
OUTPUT = "program.cwasm"


def main() -> None:
    """Measure and print."""
    load_grpc()
    actions = make_actions()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "server").mkdir()
        with servers(folder / "server") as urls:
            writer = machine(folder / "writer", urls["loopback"], upload="wait", require="yes")
            use(writer, actions)
            for word in ("loopback", "20 ms") * 2:
                fetch(word, machine(folder / word, urls[word], require="yes"), actions)
            for word in ("dead", "silent", "slow"):
                began = time.perf_counter()
                use(machine(folder / word, urls[word]), actions[:LOOKED_UP])
                print(f"{word:9} {time.perf_counter() - began:.2f} s")


def make_actions() -> list[PreparedAction]:
    """Return steps that have one output each."""
    return [prepare(ActionSpec("aot", (str(number),), {}, {}, (OUTPUT,)))
            for number in range(RESULTS)]  # fmt: skip


def machine(folder: Path, url: str, **table: object) -> TieredCache:
    """Return the cache of a new machine."""
    settings = remote_settings({"remote": url}, {}, table, folder)
    cache = open_cache(folder, settings, lambda _: None)
    assert isinstance(cache, TieredCache)
    return cache


def use(cache: TieredCache, actions: list[PreparedAction]) -> None:
    """Look up each result, and store what is not found, as a build does."""
    for number, action in enumerate(actions):
        if cache.lookup(action) is None:
            cache.store(action, {OUTPUT: digest_bytes(b"%d" % number).hash.encode() * 200})
    cache.flush()


def fetch(word: str, cache: TieredCache, actions: list[PreparedAction]) -> None:
    """Fetch results level by level."""
    began, used = time.perf_counter(), time.process_time()
    each = RESULTS // LEVELS
    parts = (actions[level * each : (level + 1) * each] for level in range(LEVELS))
    count = sum(len(cache.shared.fetch_all(part)) for part in parts)
    wall, cpu = time.perf_counter() - began, time.process_time() - used
    print(f"{word:9} {wall:.2f} s, CPU {cpu:.2f} s: {count} results")
    cache.shared.finish()


if __name__ == "__main__":
    main()
