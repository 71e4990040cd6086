"""Random programs without Wasmtime, each on a machine and at a level by chance, and interpreted.

They end alike, as `generated` says. Machines that are not installed are left out;
`python -m tests.native` builds the compiler.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.faults.generated import STEPS, difference
from tests.faults.harness import Wrong
from tests.faults.levels import LEVELS
from tests.native.building import clif_worker_path
from tests.native.native_road import MACHINES, make_machine
from tests.reference.generate import generate
from tests.reference.interpreter import End, TooLongError, run

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.native.native_road import Machine

OPEN = (b"call stack exhausted", b"out of memory")


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what makes a program, and compares its runs."""
    machines = dict(_machines(folder))

    def judge(chance: random.Random) -> str:
        text = generate(chance)
        (folder / "input").write_text(text, encoding="utf-8")
        name, level = chance.choice(list(MACHINES)), chance.choice(LEVELS)
        if name not in machines:
            return "left out"
        try:
            wanted = run(text, STEPS)
        except TooLongError:
            return "long"
        ended = machines[name].run(machines[name].executable("m.mochi", text, optimize=level))
        if any(words in ended.stderr for words in OPEN):
            return "open"
        got = End(ended.stdout.decode(), ended.stderr.decode())
        if got != wanted:
            raise Wrong(f"{name} -O{level}: {difference(got, wanted)}")
        if ended.returncode != bool(wanted.error):
            raise Wrong(f"{name} -O{level}: status {ended.returncode}")
        return "failed" if wanted.error else "ended"

    return judge


def _machines(folder: Path) -> Iterator[tuple[str, Machine]]:
    for name, (compiler, runner) in MACHINES.items():
        if all(shutil.which(tool) for tool in (compiler, *runner)):
            (folder / name).mkdir()
            yield name, make_machine(name, clif_worker_path(), folder / name)
