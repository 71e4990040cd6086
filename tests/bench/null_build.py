"""Builds of 300 generated modules: null, restored from the cache, compiled; and plain SCons.

    python -m tests.bench.null_build [MODULES]

Plain SCons has one `Command` for each of our outputs, in a chain of the same shape.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.measure import Cost, in_turns, run_once

OURS = """\
env = Environment(tools=["mochi"], toolpath=[PyPackageDir("mochi_rules.rules.site_tools")])
SConscript("app/SConscript")
"""
PLAIN = """\
DefaultEnvironment(tools=[])
env = Environment(tools=[])
copy = "cp $SOURCE $TARGET"
for number in range({count}):
    base = f"build/m{{number}}"
    env.Command(base + ".wasm", f"app/m{{number}}.mochi", copy)
    env.Command(base + ".cwasm", base + ".wasm", copy)
    env.Command(base + ".cwasm.json", base + ".cwasm", copy)
    env.Command(base + ".o", base + ".cwasm", copy)
Default("build")
"""
MODULE = """\
fun work{number}(n: int): int {{
  var total = {number}
  for i in 0..n {{ total = total + i * {number} }}
  return total
}}
print(work{number}(10))
"""


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    scons = [sys.executable, "-m", "SCons", "-Q", "-s"]
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"XDG_CACHE_HOME": f"{folder}/cache", "XDG_DATA_HOME": f"{folder}/data"}
        ours, plain = Path(folder, "ours"), Path(folder, "plain")
        write_project(ours, OURS, count)
        write_project(plain, PLAIN.format(count=count), count)
        in_ours = [*scons, "-C", str(ours), "link=none"]
        in_plain = [*scons, "-C", str(plain)]
        compiled = run_once([*in_ours, "-j2"])
        run_once([*in_plain, "-j2"])
        costs = in_turns({"ours": in_ours, "plain": in_plain}, 9)
        ours_cpu, plain_cpu = costs["ours"].cpu, costs["plain"].cpu
        ratio = f"{ours_cpu / plain_cpu:.2f} x"
        print(f"null build:  ours {ours_cpu:.3f} s, plain {plain_cpu:.3f} s of CPU: {ratio}")
        restored = _middle([_restore(ours, in_ours) for _ in range(5)])
        for kind, cost in (("compiled", compiled), ("restored", restored)):
            print(f"full build:  {kind} in {cost.wall:.2f} s, {cost.cpu:.2f} s of CPU")
        print(f"             {compiled.wall / restored.wall:.1f} x faster")


def _middle(costs: list[Cost]) -> Cost:
    return sorted(costs, key=lambda cost: cost.wall)[len(costs) // 2]


def _restore(folder: Path, command: list[str]) -> Cost:
    shutil.rmtree(folder / "build")
    return run_once([*command, "-j2"])


def write_project(folder: Path, sconstruct: str, count: int) -> None:
    """Write a workspace of so many programs."""
    (folder / "app").mkdir(parents=True)
    (folder / "SConstruct").write_text(sconstruct)
    rules = [f'mochi_binary(name="m{n}", srcs=["m{n}.mochi"])\n' for n in range(count)]
    (folder / "app" / "SConscript").write_text("".join(rules))
    for number in range(count):
        (folder / "app" / f"m{number}.mochi").write_text(MODULE.format(number=number))


if __name__ == "__main__":
    main()
