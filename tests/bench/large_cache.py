"""A cache of 10^5 entries and 20 GB (sparse): what eviction takes, and a build with nothing to do.

    python -m tests.bench.large_cache [ENTRIES]

And what `remote=` adds to such a build.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.cache import Cache
from mochi_rules.cache.directory import Layout, prepare
from mochi_rules.cache.limits import Limits
from tests.bench.measure import in_turns, run_once
from tests.bench.repository import write_repository

ROUNDS = 15
SIZE = 200_000  # bytes of an entry
DAY = 86_400  # seconds
SHARE = 5  # of so many entries, one is a result


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_repository(folder / "ours", 20)
        scons = [sys.executable, "-m", "SCons", "-Q", "-s", "-C", f"{folder}/ours", "link=none"]
        builds = {"empty": f"{folder}/small", "large": f"{folder}/large"}
        remote = "remote=grpc://127.0.0.1:9"
        commands = {f"{word} cache": ["env", f"XDG_CACHE_HOME={path}", *scons]
                    for word, path in builds.items()}  # fmt: skip
        commands["large cache, remote="] = [*commands["large cache"], remote]
        for command in commands.values():
            run_once([word for word in command if word != remote])
        fill(Path(builds["large"], "mochi_rules"), count)
        run_once(commands["large cache, remote="])
        for word, cost in in_turns(commands, ROUNDS).items():
            print(f"null build, {word:21} {cost.wall * 1000:7.1f} ms, CPU {cost.cpu * 1000:.1f} ms")
        evict(Path(builds["large"], "mochi_rules"), count)


def fill(root: Path, count: int) -> None:
    """Add entries that were used one after the other, in the last ten days."""
    layout = Layout(root)
    prepare(root)
    now = time.time()
    for number in range(count):
        digest = digest_bytes(b"%d" % number)
        path = layout.blob(digest) if number % SHARE else layout.result(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(SIZE)
        used = now - DAY * 10 * (1 - number / count) - DAY
        os.utime(path, (used, used))


def evict(root: Path, count: int) -> None:
    """Evict by age, and then by size."""
    size = count * SIZE
    for word, limits in (("half by age", Limits(size * 2, 6 * DAY * 10**9)),
                         ("to a tenth", Limits(size // 10))):  # fmt: skip
        began, used = time.perf_counter(), time.process_time()
        evicted = Cache(root, limits=limits).gc().evicted
        wall, cpu = time.perf_counter() - began, time.process_time() - used
        print(f"gc, {word}: {evicted} entries in {wall:.2f} s, CPU {cpu:.2f} s")
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
