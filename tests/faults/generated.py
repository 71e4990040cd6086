"""Random programs at the lowest and the highest level of optimization, and interpreted: all agree.

Output, message and line of a failure are compared. Only how deep a recursion may go and what a
program takes is left open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.driver import CompileRequest, compile_program
from tests.faults.harness import Wrong
from tests.faults.levels import LEVELS, OPEN
from tests.faults.programs import Runner
from tests.reference.generate import generate
from tests.reference.interpreter import End, TooLongError, run

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

STEPS = 20_000  # of the interpreter
OVERFLOW = "integer overflow"


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what makes a program, and compares its runs."""
    runner = Runner(folder)

    def judge(chance: random.Random) -> str:
        text = generate(chance)
        (folder / "input").write_text(text, encoding="utf-8")
        try:
            wanted = run(text, STEPS)
        except TooLongError:
            return "long"
        for level in LEVELS:
            word, got = _compiled(runner, text, level)
            if word in OPEN:
                return "open"
            if "bigint" in text and OVERFLOW in wanted.error and OVERFLOW not in got.error:
                wanted = got  # where there are bigints, an int that may be anything becomes one
            if got != wanted:
                raise Wrong(f"-O{level} {word}: {difference(got, wanted)}")
        return "failed" if wanted.error else "ended"

    return judge


def _compiled(runner: Runner, text: str, level: int) -> tuple[str, End]:
    request = CompileRequest("m.mochi", {"m.mochi": text}, check_leaks=True, optimize=level)
    result = compile_program(request)
    if not result.wasm:
        raise Wrong(f"refused: {result.diagnostics[0].message}")
    word = runner.run(result.wasm)
    return word, End(*(file.read_text(encoding="utf-8") for file in (runner.output, runner.errors)))


def difference(got: End, wanted: End) -> str:
    """Return the first line that is not the same, and what the interpreter has there."""
    lines = [(*end.output.splitlines(), *end.error.splitlines(), "") for end in (got, wanted)]
    return next(
        (
            f"{one!r} and interpreted {other!r}"
            for one, other in zip(*lines, strict=False)
            if one != other
        ),
        f"{len(lines[0])} and interpreted {len(lines[1])} lines",
    )
