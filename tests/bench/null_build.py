"""Builds of a generated repository: null, walked, restored, compiled; and plain SCons.

    python -m tests.bench.null_build [MODULES...]

A walked build has nothing to do either, but no manifest that says so.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Cost, in_turns, run_once
from tests.bench.repository import write_repository

ROUNDS = 5


def main() -> None:
    """Measure and print."""
    for modules in [int(word) for word in sys.argv[1:]] or [1000]:
        with tempfile.TemporaryDirectory() as folder:
            os.environ |= {"XDG_CACHE_HOME": f"{folder}/cache", "XDG_DATA_HOME": f"{folder}/data"}
            _measure(modules, Path(folder, "ours"), Path(folder, "plain"))


def _measure(modules: int, ours: Path, plain: Path) -> None:
    programs = write_repository(ours, modules)
    write_repository(plain, modules, is_plain=True)
    scons = [sys.executable, "-m", "SCons", "-Q", "-s"]
    in_ours = [*scons, "-C", str(ours), "link=none"]
    in_plain = [*scons, "-C", str(plain)]
    walk = ["sh", "-c", 'rm -f "$0"/build/.mochi/up-to-date*; exec "$@"', str(ours), *in_ours]
    compiled = run_once([*in_ours, "-j2"])
    run_once([*in_plain, "-j2"])
    costs = in_turns({"walked": walk, "null": in_ours, "plain": in_plain}, ROUNDS)
    print(f"{programs} programs and {modules - programs} libraries")
    for name, cost in costs.items():
        ratio = cost.cpu / costs["plain"].cpu
        each = cost.cpu / programs * 1e6
        print(f"  {name:8} {cost.cpu:.3f} s of CPU, {ratio:.2f} x plain, {each:.0f} us a program")
    restored = _middle([_restore(ours, in_ours) for _ in range(3)])
    for kind, cost in (("restored", restored), ("compiled", compiled)):
        print(f"  {kind:8} {cost.cpu:.3f} s of CPU, {cost.wall:.2f} s")


def _middle(costs: list[Cost]) -> Cost:
    return sorted(costs, key=lambda cost: cost.wall)[len(costs) // 2]


def _restore(folder: Path, command: list[str]) -> Cost:
    shutil.rmtree(folder / "build")
    return run_once([*command, "-j2"])


if __name__ == "__main__":
    main()
