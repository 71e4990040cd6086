"""Builds restored from the cache against those that compile, with executables and without.

    python -m tests.bench.restore [MODULES]

Of 20 modules 15 are programs. Needs the launcher: `mochi-rules toolchain install launcher`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from mochi_rules.cache.cache import Cache
from tests.bench.measure import in_turns
from tests.bench.repository import write_repository

ROUNDS = 3


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        root = Path(folder, "ours")
        write_repository(root, count)
        build = f"{sys.executable} -m SCons -Q -s -j2 -C {root} link="
        commands = {}
        for link in ("launcher", "none"):
            compiles = f"rm -rf {root}/build {folder}/cache; exec {build}{link}"
            restores = f"rm -rf {root}/build; exec {build}{link}"
            commands[link, "compiled"] = ["sh", "-c", compiles]
            commands[link, "restored"] = ["sh", "-c", restores]
        costs = in_turns(commands, ROUNDS)
        for (link, how), cost in costs.items():
            compiled = costs[link, "compiled"]
            ratios = f"{compiled.wall / cost.wall:.1f} x, CPU {compiled.cpu / cost.cpu:.1f} x"
            print(f"link={link:9} {how} {cost.wall:6.2f} s, CPU {cost.cpu:6.2f} s: {ratios}")
        size = Cache(Path(folder, "cache", "mochi_rules")).report().usage.size
        print(f"cache {size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
