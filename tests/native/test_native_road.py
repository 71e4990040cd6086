"""Golden programs without Wasmtime: the same output, messages and statuses as in Wasmtime."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile

from mochi_rules.aot.native.client import NativeConfig, compile_clif
from mochi_rules.aot.native.linker import link_arguments
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.elf.checks.native_objects import require_sound_native
from mochi_rules.platforms.cpu import find_cpu_level
from mochi_rules.platforms.platform import PLATFORMS, find_platform
from mochi_rules.steps.expectations import native_expectation
from mochi_rules.workers.process import WorkerProcess
from tests.needs import need, open_terminal

from .native_road import MACHINES, make_machine, memory_test

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.platforms.platform import Platform

    from .native_road import Machine

pytestmark = pytest.mark.slow
GOLDEN = Path(__file__).parents[1] / "golden"
RUN = sorted((GOLDEN / "run").glob("*.mochi"))
FAIL = sorted((GOLDEN / "fail").glob("*.mochi"))


@pytest.fixture(scope="session", params=list(MACHINES))
def machine(
    request: pytest.FixtureRequest, clif_worker: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """Give each platform that can be run here."""
    made = make_machine(request.param, clif_worker, tmp_path_factory.mktemp(request.param))
    yield made
    made.worker.close()


@pytest.fixture(scope="session")
def native(clif_worker: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Give this machine."""
    made = make_machine("x86_64-linux", clif_worker, tmp_path_factory.mktemp("native"))
    yield made
    made.worker.close()


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_program_prints_its_golden(machine: Machine, path: Path) -> None:
    """The output is that of the WebAssembly."""
    ended = machine.run_golden(path)
    assert ended.stderr == b""
    assert ended.stdout == path.with_suffix(".out").read_bytes()
    assert ended.returncode == 0


@pytest.mark.parametrize("path", FAIL, ids=lambda path: path.stem)
def test_failing_program_says_what_and_where(machine: Machine, path: Path) -> None:
    """The message names file and line; the status is 1."""
    ended = machine.run_golden(path)
    assert ended.stdout == path.with_suffix(".out").read_bytes()
    assert ended.stderr == path.with_suffix(".err").read_bytes()
    assert ended.returncode == 1


def test_exhausted_stack_names_the_lines(machine: Machine) -> None:
    """A guard page ends it, and the frames are those of Mochi functions."""
    source = 'fun deep(n: int): int {\n  return 1 + deep(n + 1)\n}\nprint("one")\nprint(deep(0))\n'
    program = machine.executable("deep.mochi", source)
    ended = machine.run(program)
    assert ended.returncode == 134
    assert ended.stdout == b"one\n"  # from the buffer
    first, frame, *_ = ended.stderr.decode().splitlines()
    assert first == "error: `program`: call stack exhausted"
    assert frame == "  at deep (deep.mochi:2)"


def test_memory_and_numbers_are_as_in_a_c_library(machine: Machine) -> None:
    """Programs for Linux have none: their functions are compared with those of one."""
    assert machine.run(memory_test(machine)).returncode == 0


def test_release_has_the_names_of_functions(native: Machine) -> None:
    """Profilers and debuggers show them."""
    source = "fun fib(n: int): int {\n  if n < 2 { return n }\n  return fib(n-1) + fib(n-2)\n}\n"
    program = native.executable("a.mochi", source + "print(fib(int(input())))\n")
    with program.open("rb") as stream:
        symbols = ELFFile(stream).get_section_by_name(".symtab").iter_symbols()
        functions = {row.name for row in symbols if row["st_info"]["type"] == "STT_FUNC"}
    assert {"fib", "main", "mochi_program"} <= functions


@pytest.mark.needs("ld.lld")
def test_linker_of_llvm_lays_a_program_out_alike(native: Machine) -> None:
    """It is the one that Zig has: two segments, and none that is written and executed."""
    program = native.executable("a.mochi", 'print("hello")\n')
    flags = link_arguments(
        native.config.platform, ("program.o", "host.o"), "other", debug_info=False
    )
    subprocess.run([native.compiler, "-fuse-ld=lld", *flags], cwd=native.folder, check=True)
    other = native.folder / "other"
    assert native.run(other).stdout == b"hello\n"
    for path in (program, other):
        with path.open("rb") as stream:
            segments = [row.header for row in ELFFile(stream).iter_segments("PT_LOAD")]
        read, write, execute = 4, 2, 1
        assert [row.p_flags for row in segments] == [read | execute, read | write]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_writes_what_is_printed(native: Machine, number: signal.Signals) -> None:
    """What is in the buffer; then the process dies of the signal."""
    line = "x" * 8191  # and its end fill the buffer: it is written before the next line
    program = native.executable("a.mochi", f'print("{line}")\nprint("b")\nwhile true {{}}\n')
    command = ["env", "--default-signal", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert len(process.stdout.read(8192)) == 8192
        time.sleep(0.01)  # for the second line to be in the buffer
        process.send_signal(number)
        assert process.stdout.read() == b"b\n"
        assert process.wait(timeout=10) == -number


@pytest.mark.parametrize("closed", ["<&-", ">&- 2>&-"])
def test_closed_streams_are_survived(native: Machine, closed: str) -> None:
    """A stream that the caller has closed is never another file of the process."""
    program = native.executable("a.mochi", 'let line = input()\nprint("read", line)\n')
    done = subprocess.run(
        ["sh", "-c", f'"$0" {closed}', program], capture_output=True, check=False, input=b"x\n"
    )
    assert done.returncode == 0
    assert done.stdout == (b"" if ">&-" in closed else b"read \n")


OUT_OF_MEMORY = [
    "error: out of memory",
    "error: `program`: unreachable code reached",
    "  at main (a.mochi:4)",  # the first function of all
]


@pytest.mark.parametrize(
    ("count", "message"), [(10, []), (20_000_000, []), (90_000_000, OUT_OF_MEMORY)]
)
def test_memory_is_taken_as_it_is_needed(native: Machine, count: int, message: list[str]) -> None:
    """A limit of the address space, of a quarter of what a program may use, lets small ones run."""
    source = (
        "var xs: list<int> = []\nlet n = int(input())\n"
        "for i in 0..n {\n  xs = append(xs, i)\n}\nprint(len(xs))\n"
    )
    program = native.executable("a.mochi", source)
    limited = ["sh", "-c", 'ulimit -v 1000000; exec "$0"', program]
    ended = subprocess.run(limited, capture_output=True, check=False, input=b"%d\n" % count)
    assert ended.stdout == (b"" if message else b"%d\n" % count)
    assert ended.stderr.decode().splitlines() == message


def test_terminal_shows_each_line_at_once(native: Machine) -> None:
    """Before the program ends."""
    terminal, slave = open_terminal()
    program = native.executable("a.mochi", 'print("a", 1)\nwhile true {}\n')
    with subprocess.Popen([program], stdout=slave) as process:
        try:
            shown = os.read(terminal, 100)
        finally:
            process.kill()
    assert shown == b"a 1\r\n"


@pytest.mark.parametrize("row", PLATFORMS, ids=lambda row: row.name)
def test_every_platform_has_objects(clif_worker: Path, row: Platform) -> None:
    """Of its own format, for fast code and for debuggers."""
    source = (GOLDEN / "run" / "functions.mochi").read_text("utf-8")
    request = CompileRequest("a.mochi", {"a.mochi": source}, native=True)
    clif = compile_program(request).clif.encode()
    with WorkerProcess((str(clif_worker),)) as worker:
        for level, debug_info in (("speed", False), ("none", True)):
            config = NativeConfig(row, find_cpu_level(row), level, debug_info)
            data = compile_clif(worker, config, "a.mochi", clif)
            require_sound_native(data, "it", native_expectation(row))
            has_lines = b"debug_line" in data
            assert has_lines is debug_info


def test_debugger_stops_at_a_line(clif_worker: Path, tmp_path: Path) -> None:
    """It shows Mochi functions with their lines, and needs no settings."""
    need("gdb")
    machine = make_machine("x86_64-linux", clif_worker, tmp_path, "none", debug=True)
    source = (
        "fun product(n: int): int {\n  if n < 2 {\n    return 1\n  }\n"
        "  return n * product(n - 1)\n}\nprint(product(int(input())))\n"
    )
    program = machine.executable("a.mochi", source, optimize=0)
    (tmp_path / "input").write_text("3\n")
    commands = ("break a.mochi:3", "run < input", "bt")
    options = [word for command in commands for word in ("-ex", command)]
    gdb = ["gdb", "-batch", "-nx", *options, program]
    said = subprocess.run(gdb, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    frames = re.findall(r"(\w+) \(\) at a\.mochi:(\d+)", said)
    product = ("product", "5")
    assert frames[-4:] == [("product", "3"), product, product, ("main", "7")]
    machine.worker.close()


def test_equal_text_makes_equal_objects(native: Machine, clif_worker: Path, tmp_path: Path) -> None:
    """Another process makes the same bytes."""
    source = 'print("hello")\n'
    other = make_machine("x86_64-linux", clif_worker, tmp_path)
    assert native.object("a.mochi", source) == other.object("a.mochi", source)
    other.worker.close()


def test_object_passes_the_checks_of_its_platform_alone(machine: Machine) -> None:
    """It has the exports, no import but those of the host, and unwind information."""
    data = machine.object("a.mochi", 'print("hello")\n')
    require_sound_native(data, "it", native_expectation(machine.config.platform))
    other = find_platform("aarch64-macos")
    with pytest.raises(MochiError, match="A025") as caught:
        require_sound_native(data, "it", native_expectation(other))
    first, *_ = caught.value.diagnostics[0].notes
    assert first.startswith("relocatable: expected an object of the format `macho`")


def test_object_with_foreign_symbols_is_refused(native: Machine) -> None:
    """Whatever else a linker would see, or would have to find, is named."""
    data = native.object("a.mochi", 'print("hello")\n')
    changed = data.replace(b"mochi_grow\0", b"mochi_glow\0")
    changed = changed.replace(b"mochi_files\0", b"mochi_filez\0")
    with pytest.raises(MochiError) as caught:
        require_sound_native(changed, "it", native_expectation(native.config.platform))
    assert caught.value.diagnostics[0].notes == (
        "exports: expected a definition of `mochi_files`, got none",
        "exports: `mochi_filez` is visible to other objects",
        "imports: `mochi_glow` is not a function of the host",
    )


def test_text_that_cranelift_refuses_names_the_function(native: Machine) -> None:
    """The verifier's message comes with the function that it is about."""
    text = "function %f() -> i64 fast {\nblock0:\n    v0 = iconst.i32 1\n    return v0\n}\n"
    with pytest.raises(MochiError, match=r"X002.*function `f`") as caught:
        compile_clif(native.worker, native.config, "a.mochi", text.encode())
    assert "error: inst1 (return v0" in caught.value.diagnostics[0].notes[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (";! data %a 8 read 0g\n", "line 1: a digit that is not hexadecimal"),
        (";! date %a\n", "line 1: unknown directive `date`"),
        ("function %f( {\n", "line 1: "),
        (
            ";! data %f 8 read 00\nfunction %f() {\nblock0:\n  return\n}\n",
            "two definitions of `%f`",
        ),
    ],
)
def test_malformed_text_is_an_error(native: Machine, text: str, message: str) -> None:
    """The worker answers with a line, and serves on."""
    with pytest.raises(MochiError, match="X002") as caught:
        compile_clif(native.worker, native.config, "a.mochi", text.encode())
    assert message in caught.value.diagnostics[0].message
    assert native.object("a.mochi", "print(1)\n")
