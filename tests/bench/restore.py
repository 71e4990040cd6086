"""Builds restored from the cache with executables and without: time, and what the cache takes.

    python -m tests.bench.restore [MODULES]

Needs the launcher: `mochi-rules toolchain install launcher`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from mochi_rules.cache.cache import Cache
from tests.bench.measure import in_turns, run_once
from tests.bench.repository import write_repository

ROUNDS = 3


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        root = Path(folder, "ours")
        write_repository(root, count)
        build = f"{sys.executable} -m SCons -Q -s -j2 -C {root}"
        sizes = {}
        for link in ("none", "launcher"):
            run_once(["sh", "-c", f"{build} link={link}"])
            sizes[link] = Cache(Path(folder, "cache", "mochi_rules")).report().usage.size
        restore = f"rm -rf {root}/build; exec {build} link="
        links = {link: ["sh", "-c", restore + link] for link in sizes}
        costs = in_turns(links, ROUNDS)
        for link, cost in costs.items():
            ratio = f"{cost.wall / costs['none'].wall:.2f} x"
            size = f"cache {sizes[link] / 1e6:.0f} MB"
            print(f"link={link:9} {cost.wall:6.2f} s, {cost.cpu:6.2f} s of CPU: {ratio}, {size}")


if __name__ == "__main__":
    main()
