"""What a program has printed and not written, when it is ended by force."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mochi_rules.aot.client import compile_wasm
from mochi_rules.aot.config import engine_config
from mochi_rules.aot.run import TRAP_STATUS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")

ROOT = str(Path(__file__).resolve().parents[3])

# Writes "hello", and then has as a program of Mochi "rest" in its buffer of standard output; while
# it makes a text, as the last number says, it has 4 bytes there, and 14 of the text.
PROGRAM = r"""(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\40\00\00\00" "\06\00\00\00")
  (data (i32.const 64) "hello\nrest of a text")
  (data (i32.const 992)
    "mochiout" "\46\00\00\00" "%s\00\00\00" "\04\00\00\00" "%s\00\00\00")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) %s))"""
NO_TEXT, IN_A_TEXT = (r"\04", r"\00"), (r"\0e", r"\01")
TRAP, FOREVER = "unreachable", "(loop $l (br $l))"

# Is the program in a file, with a signal ignored if there is one more argument.
SCRIPT = f"""
import signal, sys
sys.path.insert(0, {ROOT!r})
from mochi_rules.aot.config import engine_config
from mochi_rules.aot.run import Guest, run_cwasm
from mochi_rules.platforms.platform import host_platform
artifact = open(sys.argv[1], "rb").read()
if sys.argv[2:]:
    signal.signal(int(sys.argv[2]), signal.SIG_IGN)
sys.exit(run_cwasm(artifact, engine_config(host_platform()), Guest(("program",))).status)
"""


@pytest.fixture
def start(worker, host, wasm, tmp_path):
    """Start a program in a process that ends with the test; its output is a pipe."""
    processes = []

    def compile_and_start(buffer, body, *ignored):
        path = tmp_path / "program.cwasm"
        module = wasm(PROGRAM % (*buffer, body))
        path.write_bytes(compile_wasm(worker, engine_config(host), module))
        command = (sys.executable, "-c", SCRIPT, str(path), *map(str, map(int, ignored)))
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        return processes[-1]

    yield compile_and_start
    for process in processes:
        with process:
            process.kill()


@pytest.mark.parametrize("buffer", [NO_TEXT, IN_A_TEXT])
def test_trap_writes_what_is_printed(start, buffer):
    """What the program has in its buffer comes after what it has written."""
    process = start(buffer, TRAP)
    assert process.stdout.read() == b"hello\nrest"
    assert process.wait() == TRAP_STATUS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_writes_what_is_printed(start, number):
    """Before the process dies of it."""
    process = start(IN_A_TEXT, FOREVER)
    assert process.stdout.read(6) == b"hello\n"
    process.send_signal(number)
    assert process.stdout.read() == b"rest"
    assert process.wait() == -number


def test_ignored_signal_stays_ignored(start):
    """The caller decides that, such as `nohup`."""
    process = start(NO_TEXT, FOREVER, signal.SIGINT)
    assert process.stdout.read(6) == b"hello\n"
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
