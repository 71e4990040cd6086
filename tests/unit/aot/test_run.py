"""Running an artifact in this process."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mochi_rules.aot.client import compile_wasm
from mochi_rules.aot.config import engine_config
from mochi_rules.aot.executable.settings import Directory
from mochi_rules.aot.run import TRAP_STATUS, Guest, run_cwasm
from mochi_rules.base.diagnostic import Fault, MochiError

ROOT = str(Path(__file__).resolve().parents[3])
WASI = "wasi_snapshot_preview1"
GUEST = Guest(("program",))


def imports(*names):
    """Return the imports of WASI functions of some i32 parameters and an i32 result."""
    counts = {"fd_write": 4, "fd_read": 4, "args_get": 2, "args_sizes_get": 2,
              "environ_get": 2, "environ_sizes_get": 2}  # fmt: skip
    return "".join(
        f'(import "{WASI}" "{name}" (func ${name} (param {"i32 " * counts[name]}) (result i32)))'
        for name in names
    )


# Writes the bytes of memory from 64, as many as $n.
WRITE = """(func $write (param $n i32)
  (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (local.get $n))
  (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))"""

HELLO = f"""(module {imports("fd_write")} (memory (export "memory") 1) {WRITE}
  (data (i32.const 64) "hello\\n") (func (export "_start") (call $write (i32.const 6))))"""

# Writes what `args_get` or `environ_get` puts into memory, ends and all.
STRINGS = """(module {imports} (memory (export "memory") 1) {write}
  (func (export "_start")
    (drop (call ${sizes} (i32.const 16) (i32.const 20)))
    (drop (call ${get} (i32.const 1024) (i32.const 64)))
    (call $write (i32.load (i32.const 20)))))"""

CAT = f"""(module {imports("fd_read", "fd_write")} (memory (export "memory") 1) {WRITE}
  (func (export "_start") (loop $next
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1000))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 12)))
    (if (i32.load (i32.const 12)) (then (call $write (i32.load (i32.const 12))) (br $next))))))"""

FOREVER = '(module (func (export "_start") (loop $l (br $l))))'

# Recurses as deep as $n with a frame of ten live values.
DEEP = """(module (func $deep (param i64 i64 i64 i64 i64 i64 i64 i64 f64 f64) (result i64)
    (if (i64.eqz (local.get 0)) (then (return (i64.const 0))))
    (call $deep (i64.sub (local.get 0) (i64.const 1)) (local.get 2) (local.get 3) (local.get 4)
      (local.get 5) (local.get 6) (local.get 7) (i64.add (local.get 1) (i64.const 1))
      (local.get 9) (f64.add (local.get 8) (f64.const 1)))
    (i64.add (local.get 1)) (i64.add (local.get 2)) (i64.add (local.get 3))
    (i64.add (local.get 4)) (i64.add (local.get 5)) (i64.add (local.get 6))
    (i64.add (local.get 7)) (i64.add (i64.trunc_sat_f64_s (f64.add (local.get 8) (local.get 9)))))
  (func (export "_start") (drop (call $deep (i64.const %d) (i64.const 1) (i64.const 1)
    (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)
    (f64.const 1) (f64.const 1)))))"""

# The functions of a component that exports `run`: its body is to be filled in.
RUN = """(core module $m (func $start (export "run") (result i32) %s))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))"""
COMMAND = f'(component {RUN} (instance $c (export "run" (func $run))) (export "%s" (instance $c)))'

# Runs an artifact in a process of its own: the hexadecimal digits are its last argument.
SCRIPT = f"""
import sys
sys.path.insert(0, {ROOT!r})
from mochi_rules.aot.config import engine_config
from mochi_rules.aot.run import Guest, run_cwasm
from mochi_rules.platforms.platform import host_platform
print("before")
artifact = open(sys.argv[1], "rb").read()
sys.exit(run_cwasm(artifact, engine_config(host_platform()), Guest(("program",))).status)
"""


@pytest.fixture
def run(worker, host, wasm):
    """Compile a string and run it."""

    def compile_and_run(text, guest=GUEST, **settings):
        config = engine_config(host, "", settings)
        return run_cwasm(compile_wasm(worker, config, wasm(text)), config, guest)

    return compile_and_run


@pytest.fixture
def start(worker, host, wasm, tmp_path):
    """Compile a string and start it in a process of its own."""

    def compile_and_start(text, script=SCRIPT, settings=None, **options):
        path = tmp_path / "program.cwasm"
        path.write_bytes(compile_wasm(worker, engine_config(host, "", settings or {}), wasm(text)))
        return subprocess.Popen((sys.executable, "-c", script, str(path)), **options)

    return compile_and_start


def failure(run, text, *arguments, **settings):
    """Return the diagnostic of a program that cannot be started."""
    with pytest.raises(MochiError) as caught:
        run(text, *arguments, **settings)
    [diagnostic] = caught.value.diagnostics
    return diagnostic


def exits(status):
    """Return a program that exits with a status."""
    return (
        f'(module (import "{WASI}" "proc_exit" (func $exit (param i32)))'
        f' (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const {status}))))'
    )


def test_program_writes_to_our_stdout(run, capfd):
    """The program's stdout is ours, and the end of `_start` is success."""
    assert run(HELLO).status == 0
    assert capfd.readouterr().out == "hello\n"


@pytest.mark.parametrize("status", [0, 1, 7, 125])
def test_exit_status_is_the_programs(run, status):
    """What a program passes to proc_exit is returned; even 0 is not a trap."""
    result = run(exits(status))
    assert (result.status, result.trap) == (status, None)


@pytest.mark.parametrize("status", [126, 255, -1])
def test_exit_status_that_wasi_lacks_is_a_trap(run, status):
    """Wasmtime passes on a status below 126 only; the others end like a trap, with that reason."""
    result = run(exits(status))
    assert result.status == TRAP_STATUS
    assert "exit status" in result.trap.message


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"compiler": "winch"},
        {"debug_info": True},
        {"consume_fuel": True},
        {"epoch_interruption": True},
        {"memory_reservation": 0, "memory_guard_size": 0},
        {"signals_based_traps": False},
        {"opt_level": "none", "nan_canonicalization": True},
    ],
    ids=str,
)
def test_program_of_every_configuration_runs(run, capfd, settings):
    """Whatever it was compiled with, an artifact runs under its own configuration."""
    assert run(HELLO, **settings).status == 0
    assert capfd.readouterr().out == "hello\n"


def test_arguments_and_variables_arrive(run, capfd):
    """Arguments and variables arrive in order and unchanged, empty and non-ASCII ones too."""
    guest = Guest(("prog", "", "a b", "ü☃"), (("HOME", "/"), ("X", "1=2")))
    for kind, want in (("args", "prog\0\0a b\0ü☃\0"), ("environ", "HOME=/\0X=1=2\0")):
        get, sizes = f"{kind}_get", f"{kind}_sizes_get"
        run(
            STRINGS.format(
                imports=imports("fd_write", get, sizes), write=WRITE, get=get, sizes=sizes
            ),
            guest,
        )
        assert capfd.readouterr().out == want


def test_our_environment_stays_here(run, capfd, monkeypatch):
    """A program sees the variables it is given, and none of ours."""
    monkeypatch.setenv("SECRET", "1")
    text = STRINGS.format(
        imports=imports("fd_write", "environ_get", "environ_sizes_get"),
        write=WRITE,
        get="environ_get",
        sizes="environ_sizes_get",
    )
    assert run(text).status == 0
    assert capfd.readouterr().out == ""


def test_stdin_is_ours(start):
    """A program reads our stdin; what Python printed before comes out before."""
    process = start(CAT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    output, _ = process.communicate(b"some\ntext" * 1000)
    assert output == b"before\n" + b"some\ntext" * 1000
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("unreachable", "wasm `unreachable` instruction executed"),
        ("(drop (i32.load (i32.const -1)))", "out of bounds memory access"),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "integer divide by zero"),
        ("(call $start)", "call stack exhausted"),
    ],
)
def test_trap_is_explained(run, body, reason):
    """A trap is a result with its reason and where it was, and never an exception."""
    result = run(f'(module (memory 1) (func $start (export "_start") {body}))')
    assert result.status == TRAP_STATUS
    assert (result.trap.code, result.trap.message) == ("A077", f"the program trapped: {reason}")
    *causes, where = result.trap.notes  # equal frames are counted, and not repeated
    assert where.partition(", ")[0] == "at start"
    assert len(causes) <= 1


def test_recursion_of_100_000_frames_works(run):
    """A program may recurse 100 000 deep, with frames of ten values."""
    assert run(DEEP % 100_000).status == 0


def test_recursion_works_in_a_thread(run):
    """Deep recursion does not depend on the stack of the thread that asks for it."""
    results = []
    small = 256 * 1024
    before = threading.stack_size(small)
    try:
        thread = threading.Thread(target=lambda: results.append(run(DEEP % 100_000)))
        thread.start()
        thread.join()
        assert [result.status for result in results] == [0]
        assert threading.stack_size() == small
    finally:
        threading.stack_size(before)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('(module (func (export "main")))', "A073", "`_start`"),
        ('(module (memory (export "_start") 1))', "A073", "`_start`"),
        ('(module (func (export "_start") (param i32)))', "A073", "`_start`"),
        ('(module (import "env" "foo" (func)) (func (export "_start")))', "A074", "`env::foo`"),
        (f'(module (import "{WASI}" "fd_write" (func)))', "A074", "incompatible import type"),
        ("(component)", "A073", "`wasi:cli/run@0.2.0`"),
        (
            f'(component {RUN % "(i32.const 0)"} (export "run" (func $run)))',
            "A073",
            "`wasi:cli/run@0.2.0`",
        ),
        ('(component (import "a:b/c" (instance (export "f" (func)))))', "A074", "`a:b/c`"),
    ],
)
def test_what_is_no_program_is_refused(run, text, code, words):
    """A library, a component and a program for another host are errors that say so."""
    diagnostic = failure(run, text)
    assert diagnostic.code == code
    assert words in diagnostic.message


@pytest.mark.parametrize("version", ["0.2.0", "0.2.6"])
@pytest.mark.parametrize("status", [0, 1])
def test_component_is_run_as_a_command(run, version, status):
    """The status is whether `run` of any WASI 0.2 returned an error."""
    result = run(COMMAND % (f"(i32.const {status})", f"wasi:cli/run@{version}"))
    assert (result.status, result.trap) == (status, None)


@pytest.mark.parametrize(
    "settings",
    [{"consume_fuel": True}, {"epoch_interruption": True}, {"debug_info": True}],
    ids=str,
)
def test_component_of_every_configuration_runs(run, settings):
    """Fuel and deadlines are as large as for a module."""
    assert run(COMMAND % ("(i32.const 0)", "wasi:cli/run@0.2.0"), **settings).status == 0


def test_trap_of_a_component_is_explained(run):
    """As that of a module."""
    result = run(COMMAND % ("unreachable", "wasi:cli/run@0.2.0"))
    assert result.status == TRAP_STATUS
    assert result.trap.message == "the program trapped: wasm `unreachable` instruction executed"


def test_trap_in_linking_is_explained(run):
    """A start function of a module in a component runs before there is a command."""
    module = "(core module $m (func $s unreachable) (start $s))"
    result = run(f"(component {module} (core instance (instantiate $m)))")
    assert result.trap.message == "the program trapped: wasm `unreachable` instruction executed"


def test_component_has_the_stack_of_a_module(run):
    """A program may recurse as deep in a component."""
    deep = """(core module $m
      (func $deep (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
        (i32.xor (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 0)))
      (func (export "run") (result i32) (call $deep (i32.const 1000000))))"""
    text = COMMAND % ("(i32.const 0)", "wasi:cli/run@0.2.0")
    start = text.index("(core module")
    end = text.index("(core instance")
    assert run(text[:start] + deep + text[end:]).status == 0


@pytest.mark.parametrize(
    "guest",
    [Guest(("a\0b",)), Guest(("\udcff",)), Guest(("p",), (("X", "\0"),))],
    ids=("nul", "not text", "variable"),
)
def test_text_that_cannot_be_passed_is_refused(run, guest):
    """NUL and bytes that are not text are A076; nothing is cut off silently."""
    assert failure(run, HELLO, guest).code == "A076"


def test_missing_directory_is_named(run, tmp_path):
    """A directory that is not there is A075 with its name."""
    diagnostic = failure(run, HELLO, Guest(("p",), (), (Directory(str(tmp_path / "no"), "/"),)))
    assert diagnostic.code == "A075"
    assert str(tmp_path / "no") in diagnostic.message


def test_directory_is_the_programs(run, tmp_path):
    """A program reaches the directory it was given, under the name it was given."""
    text = f"""(module (import "{WASI}" "path_create_directory"
        (func $mkdir (param i32 i32 i32) (result i32)))
      (import "{WASI}" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1) (data (i32.const 0) "made")
      (func (export "_start")
        (call $exit (call $mkdir (i32.const 3) (i32.const 0) (i32.const 4)))))"""
    assert run(text, Guest(("p",), (), (Directory(str(tmp_path), "/", "rw"),))).status == 0
    assert (tmp_path / "made").is_dir()


@pytest.mark.parametrize(
    ("compiled", "loaded"),
    [
        ({"consume_fuel": True}, {}),
        ({}, {"consume_fuel": True}),
        ({}, {"epoch_interruption": True}),
        ({}, {"memory_reservation": 0}),
        ({}, {"memory_guard_size": 65536}),
        ({}, {"signals_based_traps": False}),
        ({}, {"debug_info": True}),
        ({"compiler": "winch"}, {}),
    ],
    ids=str,
)
def test_other_configuration_is_refused(worker, host, wasm, compiled, loaded):
    """An artifact of another configuration does not load: A070 with Wasmtime's reason."""
    artifact = compile_wasm(worker, engine_config(host, "", compiled), wasm(HELLO))
    with pytest.raises(MochiError) as caught:
        run_cwasm(artifact, engine_config(host, "", loaded), GUEST)
    [diagnostic] = caught.value.diagnostics
    assert diagnostic.code == "A070"
    assert "compiled with" in diagnostic.notes[0]


def test_other_version_is_refused(worker, host, wasm):
    """An artifact of another Wasmtime is A070."""
    config = engine_config(host)
    artifact = compile_wasm(worker, config, wasm(HELLO)).replace(b"\0\x0248", b"\0\x0247", 1)
    with pytest.raises(MochiError, match="A070"):
        run_cwasm(artifact, config, GUEST)


def test_missing_cpu_feature_names_the_level(worker, host, wasm):
    """An artifact that needs a feature this machine lacks is A070: the machine's fault."""
    flags = Path("/proc/cpuinfo").read_text()
    if host.cpu != "x86_64" or "avx_vnni" in flags:
        pytest.skip("an x86_64 machine without avx_vnni is missing")
    config = engine_config(host)
    artifact = compile_wasm(worker, config, wasm(HELLO))
    artifact = artifact.replace(b"has_avx_vnni\2\0", b"has_avx_vnni\2\1")
    with pytest.raises(MochiError) as caught:
        run_cwasm(artifact, config, GUEST)
    [diagnostic] = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.fault) == ("A070", Fault.ENVIRONMENT)
    assert "cpu=x86-64-v2" in diagnostic.help


def test_damaged_headers_are_refused(worker, host, wasm):
    """A truncated artifact is A071 wherever it ends, and so is what was never one."""
    config = engine_config(host)
    artifact = compile_wasm(worker, config, wasm(HELLO))
    sizes = (0, 3, 16, 63, 64, 100, 4096, len(artifact) - 1)
    for data in (b"\0asm\1\0\0\0", b"\x7fELF" * 100, *(artifact[:size] for size in sizes)):
        with pytest.raises(MochiError, match="A071"):
            run_cwasm(data, config, GUEST)


def test_variable_of_wasmtime_does_not_refuse_artifacts(run, capfd, monkeypatch):
    """WASMTIME_BACKTRACE_DETAILS in our environment would make every load fail; it does not."""
    monkeypatch.setenv("WASMTIME_BACKTRACE_DETAILS", "1")
    assert run(HELLO).status == 0
    assert capfd.readouterr().out == "hello\n"


def test_interrupt_ends_the_process(start):
    """Ctrl-C ends a program that never returns, as it would end any program."""
    process = start(FOREVER, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"before\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == -signal.SIGINT
    process.stdout.close()


def test_interrupt_handler_comes_back(run):
    """After a run, Ctrl-C is Python's again."""
    before = signal.getsignal(signal.SIGINT)
    run(HELLO)
    assert signal.getsignal(signal.SIGINT) is before


def test_no_room_for_the_stack_is_an_error(start):
    """Under a limit of address space the failure is a message, and not a crash."""

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (100 << 20, 100 << 20))

    process = start(HELLO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit)
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert b"MochiError: A078" in stderr


def test_too_little_address_space_for_the_memory_is_reported(start):
    """Wasmtime reserves 4 GiB, and that there are fewer is not the program's mistake."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))  # noqa: E731
    process = start(HELLO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit)
    _, stderr = process.communicate()
    assert b"A078: not enough address space for the memory of the program" in stderr


def test_closed_stdout_ends_the_program(start):
    """A program whose reader is gone ends in silence, as any other does."""
    reader, writer = os.pipe()
    process = start(CAT, stdin=subprocess.PIPE, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    with os.fdopen(reader, "rb") as output:
        assert output.read(7) == b"before\n"
    _, stderr = process.communicate(b"text")
    assert (process.returncode, stderr) == (-signal.SIGPIPE, b"")


def test_deadline_ends_a_program_that_waits_for_the_host(start):
    """A program that reads from a pipe into which nobody writes does not look at the epoch."""
    script = f"""
import os, sys
sys.path.insert(0, {ROOT!r})
from mochi_rules.aot.config import engine_config
from mochi_rules.aot.run import Guest, run_cwasm
from mochi_rules.platforms.platform import host_platform
artifact = open(sys.argv[1], "rb").read()
config = engine_config(host_platform(), "", {{"epoch_interruption": True}})
result = run_cwasm(artifact, config, Guest(("program",), limits={{"deadline_ms": 50}}))
print(result.trap.message, flush=True)
os._exit(result.status)
"""
    pipe = subprocess.PIPE
    settings = {"epoch_interruption": True}
    with start(CAT, script=script, settings=settings, stdin=pipe, stdout=pipe) as process:
        assert process.wait(60) == TRAP_STATUS
        assert process.stdout.read() == b"the program was stopped: not done within 50 ms\n"
