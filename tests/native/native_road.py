"""Programs of the native backend: CLIF by the compiler, objects by the worker, linked by gcc."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mochi_rules.aot.native.c_header import print_header
from mochi_rules.aot.native.c_interface import read_interface
from mochi_rules.aot.native.c_source import print_source
from mochi_rules.aot.native.client import NativeConfig, compile_clif
from mochi_rules.aot.native.linker import (
    HOST_SOURCES,
    host_arguments,
    layouts,
    library_arguments,
    link_arguments,
)
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.elf.checks.native_objects import require_sound_native
from mochi_rules.platforms.cpu import find_cpu_level
from mochi_rules.platforms.native_files import CLIF, c_sources
from mochi_rules.platforms.platform import find_platform
from mochi_rules.steps.expectations import native_expectation
from mochi_rules.steps.native.c_library import HEADER, SOURCE, library_step
from mochi_rules.steps.native.native_program import HOST
from mochi_rules.steps.step import OBJECT
from mochi_rules.workers.process import WorkerProcess
from tests.needs import need

# The C compiler of each platform that can be run here, and what runs its programs.
MACHINES = {
    "x86_64-linux": ("gcc", ()),
    "aarch64-linux": ("aarch64-linux-gnu-gcc", ("qemu-aarch64-static",)),
    "riscv64-linux": ("riscv64-linux-gnu-gcc", ("qemu-riscv64-static",)),
    "s390x-linux": ("s390x-linux-gnu-gcc", ("qemu-s390x-static",)),
}
WINDOWS = "x86_64-windows"  # under Wine, which is to be found
_PATIENCE = 120  # seconds for a program, on a loaded machine


@dataclass(frozen=True)
class Machine:
    """Where programs of a platform are made and run, in a folder with the host's object."""

    config: NativeConfig
    worker: WorkerProcess
    compiler: str
    runner: tuple[str, ...]
    folder: Path

    def object(self, name: str, source: str, *, optimize: int = 2) -> bytes:
        """Compile a program to an object."""
        clif = _clif(name, source, optimize).encode()
        return compile_clif(self.worker, self.config, name, clif)

    def executable(self, name: str, source: str, *, optimize: int = 2) -> Path:
        """Compile and link a program."""
        (self.folder / "program.o").write_bytes(self.object(name, source, optimize=optimize))
        output = "program" + self.config.platform.system.executable_suffix
        flags = link_arguments(
            self.config.platform,
            ("program.o", "host.o"),
            output,
            debug_info=self.config.debug_info,
        )
        subprocess.run([self.compiler, *flags], cwd=self.folder, check=True)
        return self.folder / output

    def library(self, path: Path) -> Path:
        """Make the library of a source, `lib.a` beside its header."""
        name = path.name
        request = CompileRequest(
            name, {name: path.read_text("utf-8")}, native=True, exports=(name,)
        )
        clif = compile_program(request).clif.encode()
        interface = read_interface(path.stem, clif)
        (self.folder / HEADER).write_text(print_header(interface))
        (self.folder / f"{path.stem}.h").write_text(print_header(interface))
        (self.folder / SOURCE).write_text(print_source(interface, HEADER))
        flags = ("-Wall", "-Wextra", "-Werror", *library_arguments("exports.o", SOURCE))
        subprocess.run([self.compiler, *flags], cwd=self.folder, check=True)
        data = compile_clif(self.worker, self.config, name, clif)
        require_sound_native(data, "it", native_expectation(self.config.platform))
        inputs = {OBJECT: data, HOST: (self.folder / "exports.o").read_bytes()}
        library = library_step(self.config.platform).make(None, inputs)  # type: ignore[arg-type]
        (self.folder / "lib.a").write_bytes(library.data)
        return self.folder / "lib.a"

    def run(
        self, program: Path, stdin: bytes = b"", **options: object
    ) -> subprocess.CompletedProcess[bytes]:
        """Run an executable to its end."""
        command = [*self.runner, str(program)]
        return subprocess.run(  # type: ignore[call-overload,no-any-return]
            command, input=stdin, capture_output=True, check=False, timeout=_PATIENCE, **options
        )

    def run_golden(self, path: Path) -> subprocess.CompletedProcess[bytes]:
        """Run a golden program, with its input if it has one."""
        stdin = path.with_suffix(".in")
        program = self.executable(path.name, path.read_text("utf-8"))
        return self.run(program, stdin.read_bytes() if stdin.exists() else b"")


@cache  # it is the same for every machine
def _clif(name: str, source: str, optimize: int) -> str:
    request = CompileRequest(name, {name: source}, optimize=optimize, native=True)
    result = compile_program(request)
    assert result.clif, result.diagnostics
    return result.clif


def make_machine(
    platform: str,
    worker: Path,
    folder: Path,
    opt_level: str = "speed",
    *,
    debug: bool = False,
    wine: tuple[str, ...] = (),
) -> Machine:
    """Compile what programs import for a platform; `wine` runs those for Windows."""
    compiler, runner = {**MACHINES, WINDOWS: ("x86_64-w64-mingw32-gcc", wine)}[platform]
    need(compiler, *runner[:1])
    row = find_platform(platform)
    names = (*HOST_SOURCES, *layouts(row))
    for name, path in c_sources(*names, tree=CLIF, folder="host").items():
        (folder / name).write_bytes(path.read_bytes())
    warnings = ("-Wall", "-Wextra", "-Werror")
    subprocess.run([compiler, *warnings, *host_arguments("host.o")], cwd=folder, check=True)
    config = NativeConfig(row, find_cpu_level(row), opt_level, debug)
    return Machine(config, WorkerProcess((str(worker),)), compiler, runner, folder)


def memory_test(machine: Machine) -> Path:
    """Build what compares the host's functions of memory and numbers with those of a C library."""
    host, *_ = c_sources("memory.c", tree=CLIF, folder="host").values()
    source = Path(__file__).with_name("memory_test.c")
    program = machine.folder / ("memory" + machine.config.platform.system.executable_suffix)
    flags = ("-static", "-Os", "-I", host.parent, source, "-lm", "-o", program)
    subprocess.run([machine.compiler, *flags], check=True)
    return program
