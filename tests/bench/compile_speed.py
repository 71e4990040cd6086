"""How fast text becomes wasm, and where the time goes: lines per second and the share of stages.

    python -m tests.bench.compile_speed [-O0|-O1|-O2] FILE.mochi ...

Every file is compiled several times in this process; the least CPU time of each stage counts.
"""

from __future__ import annotations

import gc
import sys
import time
from itertools import pairwise
from pathlib import Path

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler import driver
from mochi_rules.compiler.infer.program import infer_program
from mochi_rules.compiler.irbuild.program import build_program
from mochi_rules.compiler.lower.link import Linker
from mochi_rules.compiler.names.modules import load_modules
from mochi_rules.compiler.names.resolve import resolve_program
from mochi_rules.compiler.passes import run_passes
from mochi_rules.wasm.encode import encode_module

ROUNDS = 5


def stages(text: str, level: int) -> dict[str, float]:
    """Return the seconds that each stage takes for one program."""
    marks = [("", time.process_time())]

    def mark(name: str) -> None:
        marks.append((name, time.process_time()))

    diagnostics = Diagnostics()
    modules = load_modules(["x.mochi"], {"x.mochi": text}, diagnostics)
    mark("parse")
    resolution = resolve_program(modules, diagnostics)
    mark("resolve")
    infer_program(resolution, diagnostics)
    mark("infer")
    diagnostics.raise_errors()
    library = driver.runtime_library(check_leaks=False, level=level)
    program = build_program(resolution, library, diagnostics)
    mark("build")
    run_passes(program, library, level)
    mark("passes")
    module = Linker(program, library).link()
    mark("lower and link")
    encode_module(module)
    mark("encode")
    return {name: at - before for (_, before), (name, at) in pairwise(marks)}


def main() -> None:
    """Measure the files named on the command line."""
    gc.disable()  # as the compiler does
    level = next((int(word[2:]) for word in sys.argv if word.startswith("-O")), 2)
    names = [word for word in sys.argv[1:] if not word.startswith("-O")]
    texts = [Path(name).read_text(encoding="utf-8") for name in names]
    lines = sum(text.count("\n") for text in texts)
    total: dict[str, float] = {}
    for text in texts:
        rounds = [stages(text, level) for _ in range(ROUNDS)]
        for name in rounds[0]:
            total[name] = total.get(name, 0.0) + min(found[name] for found in rounds)
    whole = sum(total.values())
    print(f"{len(texts)} programs, {lines} lines: {lines / whole:,.0f} lines a second")
    for name, seconds in total.items():
        print(
            f"  {name:15} {seconds / whole:6.1%}  {seconds / len(texts) * 1000:7.2f} ms a program"
        )


if __name__ == "__main__":
    main()
