"""Mutated programs at the lowest and the highest level of optimization: they do the same.

Only what the language leaves open may differ: how deep a recursion may go, and how many
instructions and how much memory a program takes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mochi_rules.compiler.driver import CompileRequest, compile_program
from tests.faults.harness import Wrong
from tests.faults.programs import PROGRAMS, Runner, mutate

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

LEVELS = (0, 2)
OPEN = frozenset({"deep", "stopped", "memory"})  # ends that may come at one level alone
CLOCK = re.compile(r"\bnow\b")


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what compiles a mutated program at each level and compares the runs."""
    runner = Runner(folder)

    def run(chance: random.Random) -> str:
        text = mutate(chance.choice(PROGRAMS), chance)
        if CLOCK.search(text):
            return "clock"
        (folder / "input").write_text(text, encoding="utf-8")
        ends = [_run(runner, text, level) for level in LEVELS]
        words = {end[0] for end in ends}
        if words & OPEN:
            return "open"
        if ends[0] != ends[1]:
            raise Wrong(f"levels {LEVELS} differ: {ends[0]!r} and {ends[1]!r}")
        return ends[0][0]

    return run


def _run(runner: Runner, text: str, level: int) -> tuple[str, bytes, bytes]:
    """Return how a program ends, and what it prints."""
    request = CompileRequest("m.mochi", {"m.mochi": text}, check_leaks=True, optimize=level)
    result = compile_program(request)
    if not result.wasm:
        return "refused", b"", repr(result.diagnostics).encode()
    end = runner.run(result.wasm)
    return end, runner.output.read_bytes(), runner.errors.read_bytes()
