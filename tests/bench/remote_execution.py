"""AOT steps on a server with two workers, against the same with `-j2` on this machine.

    python -m tests.bench.remote_execution [MODULES]

Of 20 modules 15 are programs. Needs `buildbox-casd`, `buildbox-run` and `bwrap`. All other steps
come from a cache; outputs must be equal.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from mochi_rules.base.digest import digest_bytes
from tests.bench.measure import in_turns, run_once
from tests.bench.repository import write_repository
from tests.servers import casd

ROUNDS = 3
WORKERS = 2


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 280
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "ours"
        programs = write_repository(root, count)
        (folder / "server").mkdir()
        with casd(folder / "server", jobs=WORKERS) as url:
            print(f"{programs} AOT steps")
            measure(folder, root, url)


def measure(folder: Path, root: Path, url: str) -> None:
    """Compile another time each, for a CPU level that the cache knows nothing of."""
    os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
    scons = f"{sys.executable} -m SCons -Q -s -C {root} link=none"
    run_once(["sh", "-c", f"{scons} -j2"])
    # With `write` nothing is restored from the server; only its workers' results are its own.
    fresh = (f"rm -rf {folder}/new {root}/build; cp -r {folder}/cache {folder}/new; "
             f"XDG_CACHE_HOME={folder}/new exec {scons} cpu=x86-64-v3")  # fmt: skip
    away = f"remote={url} remote_mode=write remote_require=yes executor=aot=remote -j{2 * WORKERS}"
    commands = {"local": ["sh", "-c", f"{fresh} -j2"]}
    commands["remote"] = ["sh", "-c", f"{fresh} {away}"]
    digests = {name: _outputs(root, command) for name, command in commands.items()}
    print("outputs are", "equal" if digests["local"] == digests["remote"] else "DIFFERENT")
    costs = in_turns(commands, ROUNDS)
    for name, cost in costs.items():
        ratio = cost.wall / costs["local"].wall
        print(f"{name:6} {cost.wall:6.2f} s, {cost.cpu:6.2f} s of CPU here: {ratio:.2f} x")


def _outputs(root: Path, command: list[str]) -> dict[str, str]:
    run_once(command)
    return {str(path): digest_bytes(path.read_bytes()).hash
            for path in sorted((root / "build").rglob("*.cwasm"))}  # fmt: skip


if __name__ == "__main__":
    main()
