"""A worker around a program: what the program is given, and every way in which it can end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from mochi_rules.aot.client import AotWorker, compile_wasm
from mochi_rules.aot.config import canonical, engine_config
from mochi_rules.aot.probe import EMPTY_MODULE
from mochi_rules.base.diagnostic import Fault, MochiError
from mochi_rules.base.isolation import isolated_main
from mochi_rules.platforms.platform import find_platform

PANIC = (
    "thread '<unnamed>' (7) panicked at /crates/args.rs:12:18:\\n"
    "internal error: entered unreachable code\\n"
    "note: run with `RUST_BACKTRACE=1`\\n"
)


@pytest.fixture
def start(tmp_path):
    """Start workers around a `wasmtime` that is a Python script; `out` is the file to write."""
    workers = []

    def start(body, seconds=20):
        program = tmp_path / "wasmtime"
        program.write_text(
            f"#!{sys.executable} -I\n"
            "import json, os, sys, time\n"
            "from pathlib import Path\n"
            f"home = Path({str(tmp_path)!r})\n"
            "if sys.argv[1:] == ['--version']: print('wasmtime 48.0.3'); sys.exit()\n"
            "out = Path(sys.argv[sys.argv.index('-o') + 1])\n" + textwrap.dedent(body)
        )
        program.chmod(0o755)
        command = isolated_main("mochi_rules.aot.tools.command_line", str(program))
        workers.append(AotWorker(command, seconds))
        return workers[-1]

    yield start
    for worker in workers:
        worker.close()


@pytest.fixture
def config(host):
    """The default configuration of this machine."""
    return engine_config(host)


def failure(worker, config):
    """Return the one diagnostic of a compilation that fails."""
    with pytest.raises(MochiError) as caught:
        compile_wasm(worker, config, EMPTY_MODULE)
    [diagnostic] = caught.value.diagnostics
    return diagnostic


def wait_until(condition, seconds=20):
    """Wait for a condition, and return whether it came."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_program_is_given_the_wasm_and_its_file_is_the_answer(start, config):
    """The program reads the wasm in its directory; what it writes there is the artifact."""
    worker = start(r"out.write_bytes(b'\x7fELF' + Path(sys.argv[-1]).read_bytes())")
    assert compile_wasm(worker, config, EMPTY_MODULE) == b"\x7fELF" + EMPTY_MODULE
    assert worker.greeting().wasmtime == "48.0.3"


def test_directory_of_a_request_is_gone_after_it(start, config, tmp_path, monkeypatch):
    """Every request has a directory of its own in TMPDIR, and leaves nothing there."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    worker = start(r"out.write_bytes(b'\x7fELF' + os.getcwd().encode())")
    places = {compile_wasm(worker, config, EMPTY_MODULE) for _ in range(2)}
    assert len(places) == 2
    assert all(str(temporary).encode() in place for place in places)
    assert list(temporary.iterdir()) == []


def test_program_sees_no_variable_that_could_change_an_artifact(start, config, monkeypatch):
    """The program's environment is scrubbed."""
    monkeypatch.setenv("WASMTIME_BACKTRACE_DETAILS", "1")
    monkeypatch.setenv("HOME", "/somewhere")
    worker = start(r"out.write_bytes(b'\x7fELF' + json.dumps(dict(os.environ)).encode())")
    seen = json.loads(compile_wasm(worker, config, EMPTY_MODULE)[4:])
    libraries = {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}
    assert set(seen) <= {"PATH", "TMPDIR", "TEMP", "TMP", "LC_CTYPE"} | libraries


def test_refused_wasm_is_an_error_without_the_stack(start, config):
    """What the program says against the wasm is a diagnostic; the worker lives on."""
    text = (
        "Error: failed to parse WebAssembly module\\n\\nCaused by:\\n"
        "    unexpected end-of-file (at offset 0x1e)\\n\\nStack backtrace:\\n   0: main\\n"
    )
    worker = start(f'sys.stderr.write("{text}"); sys.exit(1)')
    diagnostic = failure(worker, config)
    process = worker._running.process
    assert (diagnostic.code, diagnostic.fault) == ("A066", Fault.INPUT)
    assert diagnostic.notes[0] == "Wasmtime says: failed to parse WebAssembly module"
    assert failure(worker, config) == diagnostic
    assert worker._running.process is process


def test_panic_is_an_error_of_the_compiler(start, config):
    """A panic of Wasmtime is A065 with its reason: our bug or theirs."""
    diagnostic = failure(start(f'sys.stderr.write("{PANIC}"); sys.exit(101)'), config)
    assert (diagnostic.code, diagnostic.fault) == ("A065", Fault.INTERNAL)
    assert diagnostic.notes == ("Wasmtime panicked: internal error: entered unreachable code",)


def test_panic_for_riscv64_is_simd(start):
    """For riscv64 what panics is SIMD, which a program can do without."""
    config = engine_config(find_platform("riscv64-linux"))
    diagnostic = failure(start(f'sys.stderr.write("{PANIC}"); sys.exit(101)'), config)
    assert (diagnostic.code, diagnostic.fault) == ("A065", Fault.INPUT)
    assert "without SIMD" in diagnostic.help


def test_killed_program_is_a_killed_compiler(start, config):
    """A signal that ends the program is reported as if it had ended the worker."""
    diagnostic = failure(start("os.kill(os.getpid(), 9)"), config)
    assert (diagnostic.code, diagnostic.fault) == ("A062", Fault.ENVIRONMENT)
    assert "SIGKILL" in diagnostic.message


@pytest.mark.parametrize("body", ["pass", "Path(sys.argv[0]).unlink(); sys.exit(0)"])
def test_program_that_writes_nothing_is_the_machines_fault(start, config, body):
    """Success without a file is A062, which names the file."""
    diagnostic = failure(start(body), config)
    assert (diagnostic.code, diagnostic.fault) == ("A062", Fault.ENVIRONMENT)
    assert "out.cwasm" in diagnostic.notes[1]


def test_program_that_is_gone_is_named(start, config, tmp_path):
    """A program that was removed under a worker is A062 with its name."""
    worker = start("")
    worker.greeting()
    (tmp_path / "wasmtime").unlink()
    diagnostic = failure(worker, config)
    assert (diagnostic.code, diagnostic.fault) == ("A062", Fault.ENVIRONMENT)
    assert str(tmp_path / "wasmtime") in diagnostic.notes[1]


@pytest.mark.parametrize("end", ["close", "time out"])
def test_end_of_a_worker_takes_program_and_files_away(start, config, tmp_path, monkeypatch, end):
    """A worker that ends in a request leaves neither its program nor its directory."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    body = "(home / 'new').write_text(str(os.getpid())); (home / 'new').rename(home / 'pid')\n"
    worker = start(body + "time.sleep(60)", seconds=1 if end == "time out" else 20)
    worker.greeting()
    errors = []
    thread = threading.Thread(target=lambda: errors.append(failure(worker, config).code))
    thread.start()
    assert wait_until((tmp_path / "pid").exists)
    if end == "close":
        worker.close()
    thread.join()
    assert errors == ["A063" if end == "time out" else "A062"]
    pid = int((tmp_path / "pid").read_text())
    assert wait_until(lambda: not Path(f"/proc/{pid}").exists())
    assert list(temporary.iterdir()) == []


def test_worker_ends_at_the_end_of_stdin(start, config):
    """EOF ends the worker with success, as every worker."""
    worker = start("")
    done = subprocess.run(worker.command, input=b"", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"flags": [["has_popcnt", "true"]]}, "bad request"),
        ({"flags": 7}, "bad request"),
        ({"target": "x86_64-unknown-beos"}, "no platform is named"),
        ({"opt_level": "fastest"}, "opt_level"),
        ({"compiler": None}, "compiler"),
    ],
)
def test_bad_request_is_an_answer(start, config, changes, words):
    """A request that is none is answered, before the program is started."""
    worker = start("sys.exit('started')")
    fields = {"kind": "module", **canonical(config), **changes}
    error, artifact = worker.request(fields, EMPTY_MODULE)
    assert words in error
    assert artifact == b""


def test_text_format_is_not_handed_on(start, config):
    """The program would take WebAssembly's text; a worker takes binaries only."""
    worker = start(r"out.write_bytes(b'\x7fELF')")
    fields = {"kind": "module", **canonical(config)}
    assert worker.request(fields, b"(module)") == ("not a WebAssembly binary", b"")


def test_interrupt_does_not_end_a_request(start, config, tmp_path):
    """Ctrl-C reaches the whole group; the program goes on until the client decides."""
    body = (
        "(home / 'pid').write_text(str(os.getppid()))\n"
        "while not (home / 'go').exists(): time.sleep(0.01)\n"
        "out.write_bytes(b'\\x7fELF')"
    )
    worker = start(body)
    artifacts = []
    thread = threading.Thread(
        target=lambda: artifacts.append(compile_wasm(worker, config, EMPTY_MODULE))
    )
    thread.start()
    assert wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGINT)
    (tmp_path / "go").touch()
    thread.join()
    assert artifacts == [b"\x7fELF"]
