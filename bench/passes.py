"""What each pass pays: `python -m bench.passes [--write] [--kernels NAME,...] [PASS...]`.

Every kernel is compiled with all passes, and again without each one; a pass pays by the
instructions that the programs execute less, and costs by the calls of Python functions that
compiling them makes more. Both are the same on a busy machine. `--write` puts the table into
docs/performance.md. Counting needs valgrind.
"""

from __future__ import annotations

import argparse
import cProfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.counts import count_instructions
from bench.kernels import Kernel, build_executable, find_kernels
from bench.page import geometric_mean, write_section
from mochi_rules.compiler import driver, passes

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = (
    "| pass | instructions without it | kernel that needs it most | calls to compile without it |",
    "|---|--:|---|--:|",
)
NEEDED = ("prune", "refcount")  # a program would be wrong without them, or full of dead code


@contextmanager
def without(name: str) -> Iterator[None]:
    """Compile without a pass, the runtime library too."""
    kept = passes.PASSES
    passes.PASSES = tuple(row for row in kept if row.name != name)
    driver.shared_library.cache_clear()
    try:
        yield
    finally:
        passes.PASSES = kept
        driver.shared_library.cache_clear()


def compile_kernel(kernel: Kernel) -> bytes:
    """Return the wasm of a kernel at the highest level of optimization."""
    text = (kernel.folder / "kernel.mochi").read_text(encoding="utf-8")
    request = driver.CompileRequest("kernel.mochi", {"kernel.mochi": text}, debug_names=False)
    return driver.compile_program(request).wasm


def count(kernel: Kernel, folder: Path, known: dict[bytes, int]) -> int:
    """Return how many instructions a kernel executes; `known` has those of modules seen before."""
    wasm = compile_kernel(kernel)
    if wasm not in known:
        source = folder / f"{kernel.name}.wasm"
        source.write_bytes(wasm)
        executable = build_executable(source, folder / kernel.name, [])
        known[wasm] = count_instructions(executable, kernel.small)
    return known[wasm]


def count_calls(kernels: list[Kernel]) -> int:
    """Return how many calls compiling the kernels makes, once their runtime functions are known."""
    for kernel in kernels:
        compile_kernel(kernel)
    profile = cProfile.Profile()
    profile.enable()
    for kernel in kernels:
        compile_kernel(kernel)
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


def row(name: str, ratios: dict[str, float], compiling: float) -> str:
    """Return a row of the table; a ratio above 1 is what the pass saves."""
    most = max(ratios, key=ratios.__getitem__)
    mean = geometric_mean(ratios.values())
    return f"| `{name}` | {mean:.3f} | `{most}` {ratios[most]:.2f} | {compiling:.2f} |"


def main() -> None:
    """Measure each pass."""
    parser = argparse.ArgumentParser(prog="python -m bench.passes", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PASS")
    parser.add_argument("--kernels", default="", help="only these")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    kernels = find_kernels([name for name in arguments.kernels.split(",") if name])
    known: dict[bytes, int] = {}
    rows = []
    print("\n".join(HEAD))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        before = {kernel.name: count(kernel, folder, known) for kernel in kernels}
        calls = count_calls(kernels)
        for name in [row.name for row in passes.PASSES if row.name not in NEEDED]:
            if arguments.names and name not in arguments.names:
                continue
            with without(name):
                ratios = {
                    kernel.name: count(kernel, folder, known) / before[kernel.name]
                    for kernel in kernels
                }
                rows.append(row(name, ratios, count_calls(kernels) / calls))
            print(rows[-1], flush=True)
    if arguments.write:
        write_section("passes", [*HEAD, *rows])


if __name__ == "__main__":
    main()
