"""An executable behaves like the program it holds: its streams, statuses, signals and limits."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from .building import HOST, Programs, launcher_target, program

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("programs", ["launcher", "bundle_launcher"], indirect=True),
]

WORLDS = ("stdio", "files")
HELLO = "(call $print (i32.const 8) (i32.const 13))", '(data (i32.const 8) "hello, world\\n")'
FOREVER = "(loop $again (br $again))"
TRAP = 134
CHANCE = random.Random(1)


def run(path: Path, *arguments: str | bytes, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run an executable; nothing here takes long."""
    options = {"capture_output": True, "timeout": 20} | options
    return subprocess.run([path, *arguments], check=False, **options)


def hello(programs: Programs, world: str = "stdio", settings: str = "") -> Path:
    """Return an executable that greets."""
    return programs.build(program(HELLO[0], world=world, top=HELLO[1]), settings)


@pytest.mark.parametrize("world", WORLDS)
def test_output_is_the_programs(programs: Programs, world: str) -> None:
    """A program prints what it prints, and nothing else is printed."""
    done = run(hello(programs, world))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"hello, world\n", b"")


def test_executable_is_small_and_needs_only_the_c_library(programs: Programs) -> None:
    """A hello is at most 2.5 MB, or 2.8 MB without musl, and names no library but libc."""
    path = hello(programs)
    assert path.stat().st_size <= (2_800_000 if launcher_target() == HOST else 2_500_000)
    libraries = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    known = ("statically linked", "libc.so", "ld-linux", "linux-vdso")
    assert [
        line for line in libraries.splitlines() if not any(name in line for name in known)
    ] == []


def test_launcher_names_no_place_of_its_builder(programs: Programs) -> None:
    """The same launcher comes from every machine: no directory of this one is in it."""
    assert f"{Path.home()}/".encode() not in programs.launcher.read_bytes()


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("status", [0, 1, 7, 125, 126, 255])
def test_exit_status_is_the_programs(programs: Programs, world: str, status: int) -> None:
    """Every status of the system can be returned, in silence."""
    path = programs.build(program(f"(call $exit (i32.const {status}))", world=world))
    done = run(path)
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")


STRINGS = """
  (drop (call ${kind}_sizes_get (i32.const 0) (i32.const 4)))
  (drop (call ${kind}_get (i32.const 1024) (i32.const 8192)))
  (call $print (i32.const 8192) (i32.load (i32.const 4)))"""


def strings(kind: str, world: str) -> str:
    """Return a program that prints its arguments or its environment, NUL behind each."""
    names = (f"{kind}_get", f"{kind}_sizes_get")
    return program(STRINGS.replace("{kind}", kind), *names, world=world)


@pytest.mark.parametrize("world", WORLDS)
def test_arguments_are_passed(programs: Programs, world: str) -> None:
    """All arguments are the program's, also those that look like options of a launcher."""
    path = programs.build(strings("args", world))
    done = run(path, "one", "", "--dir", "zwölf", "-h")
    assert done.stdout.split(b"\0") == [b"app", b"one", b"", b"--dir", "zwölf".encode(), b"-h", b""]


def test_arguments_may_be_any_bytes(programs: Programs) -> None:
    """An argument that is not UTF-8 arrives as it is, or is refused by name."""
    path = programs.build(strings("args", "stdio"))
    done = run(path, b"\xff\xfe")
    refused = b"error: `app`: the program cannot start: an argument is not UTF-8\n"
    assert done.stdout == b"app\0\xff\xfe\0" or (done.returncode, done.stderr) == (126, refused)


def test_empty_name_is_survived(programs: Programs) -> None:
    """A caller that passes no name gets the program started under a name."""
    path = programs.build(strings("args", "stdio"))
    command = ["bash", "-c", 'exec -a "" "$0"', path]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"program\0"


@pytest.mark.parametrize("world", WORLDS)
def test_environment_is_passed(programs: Programs, world: str) -> None:
    """The environment is the caller's."""
    path = programs.build(strings("environ", world))
    done = run(path, env={"A": "1", "EMPTY": "", "B": "x=y"})
    assert sorted(done.stdout.split(b"\0")) == [b"", b"A=1", b"B=x=y", b"EMPTY="]


CAT = """
  (i32.store (i32.const 0) (i32.const 65536))
  (i32.store (i32.const 4) (i32.const 50000))
  (block $end (loop $next
    (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
      (then (call $exit (i32.const 98))))
    (br_if $end (i32.eqz (i32.load (i32.const 8))))
    (call $print (i32.const 65536) (i32.load (i32.const 8)))
    (br $next)))"""


@pytest.mark.parametrize("world", WORLDS)
def test_input_is_read_to_its_end(programs: Programs, world: str) -> None:
    """Three megabytes through a pipe come out as they went in."""
    data = CHANCE.randbytes(3_000_001)
    path = programs.build(program(CAT, "fd_read", world=world))
    done = run(path, input=data)
    assert done.returncode == 0
    assert done.stdout == data


YES = f"(loop $again {HELLO[0]} (br $again))"


@pytest.mark.parametrize("world", WORLDS)
def test_closed_pipe_ends_the_program_in_silence(programs: Programs, world: str) -> None:
    """Like any program it dies of SIGPIPE when its reader has gone."""
    path = programs.build(program(YES, world=world, top=HELLO[1]))
    pipe = subprocess.PIPE
    with subprocess.Popen([path], stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.read(5) == b"hello"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=10) == -signal.SIGPIPE


@pytest.mark.parametrize("world", WORLDS)
def test_caller_may_ignore_closed_pipes(programs: Programs, world: str) -> None:
    """Where SIGPIPE is ignored the program sees the error; `$print` then exits with 99."""
    path = programs.build(program(YES, world=world, top=HELLO[1]))
    script = "trap '' PIPE; { \"$0\"; echo $? >&2; } | head -c 5"
    done = subprocess.run(
        ["bash", "-c", script, path], capture_output=True, check=False, timeout=10
    )
    assert done.stderr == b"99\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_program(programs: Programs, number: signal.Signals) -> None:
    """A busy program can be ended as any other."""
    path = programs.build(program(HELLO[0] + FOREVER, top=HELLO[1]))
    command = ["env", "--default-signal", path]  # a test in the background would ignore SIGINT
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"hello, world\n"
            process.send_signal(number)
            assert process.wait(timeout=10) == -number
        finally:
            process.kill()


def test_program_goes_by_the_name_it_is_called(programs: Programs, tmp_path: Path) -> None:
    """Renamed, through a symbolic link, by a relative path: it runs, and sees that name."""
    path = programs.build(strings("args", "stdio"))
    renamed = path.rename(tmp_path / "other name")
    link = tmp_path / "link"
    link.symlink_to(renamed)
    (tmp_path / "sub").mkdir()
    assert run(renamed).stdout == b"other name\0"
    assert run(link).stdout == b"link\0"
    done = subprocess.run(["../link"], cwd=tmp_path / "sub", capture_output=True, check=True)
    assert done.stdout == b"link\0"
    found = subprocess.run(["link"], env={"PATH": str(tmp_path)}, capture_output=True, check=True)
    assert found.stdout == b"link\0"


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_survived(programs: Programs, world: str, closed: str) -> None:
    """A stream that the caller has closed is never another file of the process."""
    path = programs.build(program(HELLO[0], world=world, top=HELLO[1]))
    done = subprocess.run(["sh", "-c", f'"$0" {closed}', path], capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stderr == b""


TRAPS = {
    "(unreachable)": "wasm trap: wasm `unreachable` instruction executed",
    "(drop (i32.div_u (i32.const 1) (local.get $i)))": "wasm trap: integer divide by zero",
    "(drop (i32.load (i32.const -4)))": "wasm trap: out of bounds memory access",
    "(call_indirect $t (i32.const 1))": "wasm trap: undefined element: out of bounds table access",
}
TABLE = "(table $t 1 funcref) (func $inner (call $main))"


@pytest.mark.parametrize("settings", ["", "signals_based_traps\t0"])
@pytest.mark.parametrize("body", TRAPS)
def test_trap_is_reported_with_its_functions(programs: Programs, body: str, settings: str) -> None:
    """A trap prints its reason and the functions, innermost first, and has its own status."""
    wat = program("(call $deep (i32.const 0))", top=f"{TABLE} (func $deep (param $i i32) {body})")
    done = run(programs.build(wat, settings, signals_based_traps=not settings))
    lines = done.stderr.decode().splitlines()
    assert lines[0] == f"error: `app`: {TRAPS[body]}"
    assert lines[1:] == ["  at deep", "  at main"]
    assert done.returncode == TRAP


@pytest.mark.parametrize("world", WORLDS)
def test_bad_address_in_a_call_is_a_trap(programs: Programs, world: str) -> None:
    """A program that passes an address outside of its memory is stopped."""
    body = "(drop (call $fd_write (i32.const 1) (i32.const -4) (i32.const 1) (i32.const 0)))"
    done = run(programs.build(program(body, world=world)))
    lines = done.stderr.decode().splitlines()
    assert "out of bounds" in lines[0]
    assert lines[1:] == ["  at main"]
    assert done.returncode == TRAP


def test_trap_in_the_world_of_files_is_reported_too(programs: Programs) -> None:
    """Both worlds tell alike."""
    done = run(programs.build(program("(unreachable)", world="files")))
    assert done.stderr == (
        b"error: `app`: wasm trap: wasm `unreachable` instruction executed\n  at main\n"
    )
    assert done.returncode == TRAP


def test_output_before_a_trap_is_not_lost(programs: Programs) -> None:
    """What was printed is printed, however the program ends."""
    done = run(programs.build(program(HELLO[0] + "(unreachable)", top=HELLO[1])))
    assert done.stdout == b"hello, world\n"


# As a program of Mochi it has the last 6 bytes of "hello, world" in its buffer.
BUFFER = (
    HELLO[1]
    + r"""(data (i32.const 992)
  "mochiout" "\0f\00\00\00" "\06\00\00\00" "\00\00\00\00" "\00\00\00\00")"""
)


@pytest.mark.parametrize("world", WORLDS)
def test_trap_writes_what_is_still_in_the_buffer(programs: Programs, world: str) -> None:
    """It comes after what was written."""
    wat = program(HELLO[0] + "(unreachable)", world=world, top=BUFFER)
    done = run(programs.build(wat))
    assert done.stdout == b"hello, world\nworld\n"
    assert done.returncode == TRAP


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_writes_what_is_still_in_the_buffer(
    programs: Programs, number: signal.Signals
) -> None:
    """Before the process dies of it."""
    path = programs.build(program(HELLO[0] + FOREVER, top=BUFFER))
    command = ["env", "--default-signal", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.read(13) == b"hello, world\n"
        process.send_signal(number)
        assert process.stdout.read() == b"world\n"
        assert process.wait(timeout=10) == -number


def test_buffer_outside_of_the_memory_is_ignored(programs: Programs) -> None:
    """Whatever a program has there, its trap is reported."""
    top = BUFFER.replace(r"\06\00", r"\ff\ff").replace(r"\0f\00", r"\ff\ff")
    done = run(programs.build(program("(unreachable)", top=top)))
    assert done.returncode == TRAP


RECURSE = """(func $down (param $n i32) (result i32)
  (if (result i32) (local.get $n)
    (then (i32.add (i32.const 1) (call $down (i32.sub (local.get $n) (i32.const 1)))))
    (else (i32.const 0))))"""


@pytest.mark.parametrize("world", WORLDS)
def test_deep_recursion_works(programs: Programs, world: str) -> None:
    """A million small frames fit."""
    body = "(call $exit (i32.ne (call $down (i32.const 1000000)) (i32.const 1000000)))"
    done = run(programs.build(program(body, world=world, top=RECURSE)))
    assert (done.returncode, done.stderr) == (0, b"")


def test_endless_recursion_is_a_trap(programs: Programs) -> None:
    """It does not crash, and the list of functions is not endless."""
    done = run(programs.build(program("(drop (call $down (i32.const -1)))", top=RECURSE)))
    lines = done.stderr.decode().splitlines()
    assert lines[0] == "error: `app`: wasm trap: call stack exhausted"
    assert 1 < len(lines) < 40
    assert done.returncode == TRAP


def test_stack_is_as_large_as_was_set(programs: Programs) -> None:
    """A setting decides how deep a program may go."""
    wat = program("(drop (call $down (i32.const 20000)))", top=RECURSE)
    assert run(programs.build(wat, "stack\t100000")).returncode == TRAP
    assert run(programs.build(wat, "stack\t10000000")).returncode == 0


def test_fuel_ends_the_program(programs: Programs) -> None:
    """A program with too little fuel is stopped with a sentence, with enough it ends."""
    wat = program(FOREVER)
    done = run(programs.build(wat, "fuel\t1000", consume_fuel=True))
    assert done.stderr == b"error: `app`: out of fuel, which was 1000\n  at main\n"
    assert done.returncode == TRAP
    enough = programs.build(program(HELLO[0], top=HELLO[1]), "fuel\t1000", consume_fuel=True)
    assert run(enough).stdout == b"hello, world\n"


@pytest.mark.parametrize("world", WORLDS)
def test_deadline_ends_the_program(programs: Programs, world: str) -> None:
    """A program that is not done in time is stopped, soon, with a sentence."""
    wat = program(FOREVER, world=world)
    path = programs.build(wat, "deadline_ms\t100", epoch_interruption=True)
    start = time.monotonic()
    done = run(path)
    assert 0.1 <= time.monotonic() - start < 5
    assert done.stderr == b"error: `app`: not done within 100 ms\n  at main\n"
    assert done.returncode == TRAP


@pytest.mark.parametrize("world", WORLDS)
def test_deadline_ends_a_program_that_waits_for_input(programs: Programs, world: str) -> None:
    """In a call of the host nothing looks at the clock."""
    read = "(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))"
    body = f"(i32.store (i32.const 4) (i32.const 1)) {read}"
    wat = program(body, "fd_read", world=world)
    path = programs.build(wat, "deadline_ms\t100", epoch_interruption=True)
    pipe = subprocess.PIPE
    with subprocess.Popen([path], stdin=pipe, stderr=pipe) as process:
        assert process.stderr is not None
        assert process.stderr.read() == b"error: `app`: not done within 100 ms\n"
        assert process.wait(20) == TRAP


def test_code_with_checks_may_run_without_deadline(programs: Programs) -> None:
    """A deadline of zero is none."""
    wat = program(HELLO[0], top=HELLO[1])
    path = programs.build(wat, "deadline_ms\t0", epoch_interruption=True)
    assert run(path).stdout == b"hello, world\n"


GROW = "(call $exit (i32.eq (memory.grow (i32.const 100)) (i32.const -1)))"


def test_memory_limit_stops_growth(programs: Programs) -> None:
    """Growth beyond the limit fails as WebAssembly says, with -1."""
    wat = program(GROW)
    assert run(programs.build(wat, f"memory_limit\t{102 * 65536}")).returncode == 0
    assert run(programs.build(wat, f"memory_limit\t{101 * 65536}")).returncode == 1


def test_program_that_ends_without_memory_names_the_limit(programs: Programs) -> None:
    """As those of Mochi do: they trap when they are given none."""
    body = "(if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))"
    done = run(programs.build(program(body), "memory_limit\t200000"))
    assert b"limited to 200000 bytes" in done.stderr
    assert done.returncode == TRAP


def test_memory_limit_below_the_start_is_reported(programs: Programs) -> None:
    """A program that may not have its first pages is not started."""
    done = run(hello(programs, settings="memory_limit\t65536"))
    assert done.returncode == 126
    assert done.stderr.startswith(b"error: `app`: the program cannot start: ")
    assert b"exceeds memory limits" in done.stderr


def limited(path: Path, kilobytes: int) -> subprocess.CompletedProcess[bytes]:
    """Run with a limit on the address space."""
    script = f'ulimit -v {kilobytes}; exec "$0"'
    command = ["sh", "-c", script, path]
    return subprocess.run(command, capture_output=True, check=False, timeout=10)


def test_too_little_address_space_is_reported(programs: Programs) -> None:
    """Where not even the memory can be set aside there is a sentence and no crash."""
    done = limited(hello(programs), 1_000_000)
    assert done.returncode == 126
    assert b"the program cannot start: " in done.stderr
    assert b"Cannot allocate memory" in done.stderr or b"Out of memory" in done.stderr


def test_little_address_space_suffices_for_a_small_reservation(programs: Programs) -> None:
    """A program for such a place runs there, and its growth fails in good order."""
    small = {"memory_reservation": 1 << 20, "memory_guard_size": 65536}
    settings = "memory_reservation\t1048576\nmemory_guard_size\t65536\nstack\t1000000"
    grow = GROW.replace("100", "8000")
    assert limited(programs.build(program(grow), settings, **small), 200_000).returncode == 1
    assert run(programs.build(program(grow), settings, **small)).returncode == 0


CONFIGURATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "debug": ("debug_info\t1", {"debug_info": True}),
    "winch": ("compiler\twinch", {"compiler": "winch"}),
    "v2": ("", {"flags": [["x86-64-v2", None]]}),
    "memory": ("memory_reservation\t1048576", {"memory_reservation": 1 << 20}),
    "all": (
        (
            "compiler\tcranelift\ndebug_info\t0\nfuel\t9999\ndeadline_ms\t9999\n"
            "memory_guard_size\t65536\nsignals_based_traps\t0\nmemory_limit\t9999999\nstack\t999999"
        ),
        {
            "consume_fuel": True,
            "epoch_interruption": True,
            "memory_guard_size": 65536,
            "signals_based_traps": False,
        },
    ),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_every_configuration_runs_where_it_is_named(programs: Programs, name: str) -> None:
    """An artifact of any configuration runs with the settings that say so."""
    settings, changes = CONFIGURATIONS[name]
    done = run(programs.build(program(HELLO[0], top=HELLO[1]), settings, **changes))
    assert (done.stdout, done.stderr) == (b"hello, world\n", b"")


COPY = """
  (i32.store (i32.const 0) (i32.const 16))
  (i32.store (i32.const 4) (i32.const 12))
  (block $end (loop $next
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (br_if $end (i32.eqz (i32.load (i32.const 8))))
    (memory.copy (i32.load (i32.const 16)) (i32.load (i32.const 20)) (i32.load (i32.const 24)))
    (br $next)))
  (call $print (i32.const 65536) (i32.const 65536))"""


def test_copies_between_overlapping_places_are_exact(programs: Programs) -> None:
    """`memory.copy` agrees with Python, forwards, backwards and in place, at every length."""
    memory = bytearray(CHANCE.randbytes(65536))
    text = "".join(f"\\{byte:02x}" for byte in memory)
    requests = b""
    for _ in range(3000):
        length = min(CHANCE.choice([0, 1, 7, 64, 2047, 2048, 2049, 30000]), 30000)
        source = CHANCE.randrange(65536 - length)
        target = min(max(source + CHANCE.randrange(-3000, 3000), 0), 65536 - length)
        memory[target : target + length] = memory[source : source + length]
        requests += b"".join(
            n.to_bytes(4, "little") for n in (target + 65536, source + 65536, length)
        )
    top = f'(data (i32.const 65536) "{text}")'
    path = programs.directory / "requests"
    path.write_bytes(requests)  # a pipe may hand over a part of one
    with path.open("rb") as stdin:
        done = run(programs.build(program(COPY, "fd_read", top=top)), stdin=stdin)
    assert done.stdout == bytes(memory)
