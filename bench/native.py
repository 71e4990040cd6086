"""Compare programs without Wasmtime: `python -m bench.native [--write] [NAME...]`.

The instructions of each kernel in C, for Wasmtime (those of `instructions.json`) and without it;
and a hello world, which the same linker links statically in C: its size, and the time from its
start to its end. Compiling the kernels is compared, too. `--write` puts all into
docs/performance.md. Counting needs valgrind.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.counts import count_instructions, read_recorded
from bench.kernels import C, Kernel, build_executable, find_kernels
from bench.page import geometric_mean, write_section
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.platforms.platform import host_platform
from mochi_rules.project.configuration import find_configurations
from mochi_rules.steps.engines.lazy_engines import LazyEngines
from mochi_rules.steps.native.c_compilation import run_c_compiler
from mochi_rules.steps.native.native_program import native_config
from mochi_rules.steps.processes.subprocesses import Subprocesses
from mochi_rules.steps.step import EXECUTABLE_MODE
from mochi_rules.steps.tools.tool_choice import Toolchains, chosen

NATIVE = ["--link", "native"]
HEAD = (
    "| kernel | C, 10³ | Wasmtime / C | native / C | native / Wasmtime |",
    "|---|--:|--:|--:|--:|",
)
HELLO = {
    "mochi": 'print("hello")\n',
    "c": '#include <unistd.h>\nint main(void) { return write(1, "hello\\n", 6) != 6; }\n',
}
C_FLAGS = ("-O2", "-static", "-Wl,-S", "-Wl,--gc-sections")
STARTS, COMPILATIONS = 2000, 3


@dataclass(frozen=True)
class Row:
    """The instructions of a kernel, in thousands, without those of its start."""

    name: str
    c: int
    wasm: int
    native: int

    def __str__(self) -> str:
        ratios = (self.wasm / self.c, self.native / self.c, self.native / self.wasm)
        return f"| {self.name} | {self.c:,} | {' | '.join(f'{ratio:.2f}' for ratio in ratios)} |"


def count(kernel: Kernel, folder: Path, start: Row, recorded: dict[str, int]) -> Row:
    """Build the programs of a kernel, and count; `start` is what a hello world takes."""
    source = kernel.folder / "kernel.mochi"
    native = build_executable(source, folder / f"{kernel.name}-native", NATIVE)
    c, own = (_thousands(program, kernel.small) for program in (kernel.build_c(folder), native))
    return Row(kernel.name, c - start.c, recorded[kernel.name] - start.wasm, own - start.native)


def count_start(folder: Path) -> Row:
    """Build a hello world for each column of the table, and count."""
    source, c = folder / "start.mochi", folder / "start.c"
    source.write_text(HELLO["mochi"], encoding="utf-8")
    c.write_text(HELLO["c"], encoding="utf-8")
    subprocess.run([*C, c, "-o", folder / "start-c"], check=True)
    wasm = build_executable(source, folder / "start-wasm", [])
    native = build_executable(source, folder / "start-native", NATIVE)
    programs = (folder / "start-c", wasm, native)
    return Row("start", *(_thousands(program, b"") for program in programs))


def _thousands(program: Path, size: bytes) -> int:
    return count_instructions(program, size) // 1000


def summary(rows: list[Row]) -> str:
    """Return the last row of the table."""
    wasm = geometric_mean(row.wasm / row.c for row in rows)
    native = geometric_mean(row.native / row.c for row in rows)
    means = " | ".join(f"**{ratio:.2f}**" for ratio in (wasm, native, native / wasm))
    return f"| **geometric mean** | | {means} |"


def build_hello(folder: Path) -> tuple[dict[str, Path], str]:
    """Build a hello world in both languages; return them, and the name of the linker."""
    platform = host_platform()
    linker = chosen(Toolchains().linker(platform))
    built = {"mochi": folder / "hello-mochi", "c": folder / "hello-c"}
    source = folder / "hello.mochi"
    source.write_text(HELLO["mochi"], encoding="utf-8")
    build_executable(source, built["mochi"], NATIVE)
    name = built["c"].name
    flags = ("hello.c", "-o", name, *C_FLAGS)
    inputs = {"hello.c": HELLO["c"].encode()}
    built["c"].write_bytes(run_c_compiler(Subprocesses(), linker, flags, inputs, name))
    built["c"].chmod(EXECUTABLE_MODE)
    return built, linker.name


def start(program: Path) -> int:
    """Return the nanoseconds from the start of a program to its end."""
    actions = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    began = time.perf_counter_ns()
    child = os.posix_spawn(program, [str(program)], {}, file_actions=actions)
    _, status = os.waitpid(child, 0)
    took = time.perf_counter_ns() - began
    if status:
        sys.exit(f"{program.name} ended with {status}")
    return took


def hello(folder: Path) -> str:
    """Return what a hello world takes."""
    built, linker = build_hello(folder)
    took: dict[str, list[int]] = {language: [] for language in built}
    for _ in range(STARTS):
        for language, program in built.items():
            took[language].append(start(program))
    usual = {language: median(times) for language, times in took.items()}
    sizes = {language: program.stat().st_size for language, program in built.items()}
    return (
        f"A static hello world, linked by `{linker}`: {sizes['mochi']:,} bytes, in C "
        f"{sizes['c']:,}. From start to end {usual['mochi'] / 1000:.0f} µs, in C "
        f"{usual['c'] / 1000:.0f} µs: {usual['mochi'] / usual['c']:.2f} times (medians)."
    )


def compiling(kernels: list[Kernel]) -> str:
    """Return what it takes to compile the kernels to objects, against artifacts of Wasmtime.

    The CPU time of workers is counted, that of their start is not.
    """
    best = {
        (is_native, times): float(sys.maxsize) for is_native in (True, False) for times in (1, 3)
    }
    for _ in range(COMPILATIONS):
        for (is_native, times), least in best.items():
            took = _compile_all(kernels * times, is_native=is_native)
            best[is_native, times] = min(least, took)
    native, wasm = (best[is_native, 3] - best[is_native, 1] for is_native in (True, False))
    return (
        f"Compiling the kernels to objects takes {native / wasm:.2f} times what it takes to make "
        "artifacts for Wasmtime of them."
    )


def _compile_all(kernels: list[Kernel], *, is_native: bool) -> float:
    began = _cpu_time()
    (configuration,) = find_configurations(host_platform().name)
    engines = LazyEngines(None, Toolchains())
    for kernel in kernels:
        text = (kernel.folder / "kernel.mochi").read_text(encoding="utf-8")
        made = compile_program(CompileRequest("a.mochi", {"a.mochi": text}, native=is_native))
        if is_native:
            engines.compile_clif(native_config(configuration, {}), "a.mochi", made.clif.encode())
        else:
            engines.compile_wasm(configuration.engine({}), made.wasm)
    engines.close()
    return _cpu_time() - began


def _cpu_time() -> float:
    """Return the CPU time of this process, and of all its children that have ended."""
    return sum(os.times()[:4])


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(prog="python -m bench.native", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    rows, recorded = [], read_recorded()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        kernels = find_kernels(arguments.names)
        end = [hello(folder), "", compiling(kernels)]
        print("\n".join((*end, "", *HEAD)), flush=True)
        start = count_start(folder)
        for kernel in kernels:
            rows.append(count(kernel, folder, start, recorded))
            print(rows[-1], flush=True)
    print(summary(rows))
    if arguments.write:
        write_section("native", [*HEAD, *map(str, rows), summary(rows), "", *end])


if __name__ == "__main__":
    main()
