"""The client of a worker: artifacts, refusals, and every way in which a worker can end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mochi_rules.aot.client import AotWorker, compile_wasm
from mochi_rules.aot.config import canonical, engine_config
from mochi_rules.aot.probe import EMPTY_MODULE
from mochi_rules.aot.wheel import wheel_version, worker_command
from mochi_rules.base.diagnostic import Fault, MochiError
from mochi_rules.platforms.platform import PLATFORMS
from mochi_rules.workers import process as worker_process

ROOT = str(Path(__file__).resolve().parents[3])
GREETING = '{"protocol":1,"tool":"fake","wasmtime":"48.0.0"}'
PREFIX = f"""
import json, os, struct, sys, time
sys.path.insert(0, {ROOT!r})
def frame(data):
    sys.stdout.buffer.write(struct.pack("<I", len(data)) + data); sys.stdout.flush()
def take():
    return sys.stdin.buffer.read(struct.unpack("<I", sys.stdin.buffer.read(4))[0])
"""


def fake(body, seconds=20):
    """Return a worker that runs a Python text."""
    return AotWorker((sys.executable, "-c", PREFIX + body), seconds)


def failure(worker, config, wasm=EMPTY_MODULE):
    """Return the one diagnostic of a compilation that fails."""
    with pytest.raises(MochiError) as caught:
        compile_wasm(worker, config, wasm)
    [diagnostic] = caught.value.diagnostics
    return diagnostic


def is_alive(pid):
    """Return whether a process runs; one that nobody has reaped yet does not."""
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def wait_until(condition, seconds=20):
    """Wait for a condition, and return whether it came."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def config(host):
    """The default configuration of this machine."""
    return engine_config(host)


def test_worker_says_what_it_is(worker):
    """The greeting names the tool and the exact version, which enters the key."""
    greeting = worker.greeting()
    assert greeting.tool == "wheel"
    assert greeting.wasmtime == wheel_version() != ""


def test_module_and_component_become_artifacts(worker, config, wasm):
    """A module and a component are distinguished, and e_flags say which was compiled."""
    for text, kind in (("(module (func))", 1), ("(component)", 2)):
        artifact = compile_wasm(worker, config, wasm(text))
        assert artifact[:4] == b"\x7fELF"
        assert int.from_bytes(artifact[0x30:0x34], "little") == kind


WIDE = "(func (param i64 i64 i64 i64) (result i64 i64) {} i64.add128)".format(
    " ".join(f"local.get {index}" for index in range(4))
)


@pytest.mark.parametrize(
    ("text", "settings", "feature"),
    [
        (f"(module {WIDE})", {}, "wide arithmetic"),
        ("(module (memory 1 (pagesize 1)))", {}, "custom page sizes"),
        ("(module (type $f (func)) (type (cont $f)))", {}, "stack switching"),
        ("(module (type (shared (func))))", {}, "shared-everything-threads"),
        ("(module (tag) (func try catch 0 end))", {}, "legacy exceptions"),
        ("(module (func return_call 0))", {"compiler": "winch"}, "tail calls"),
        ("(module (tag) (func throw 0))", {"compiler": "winch"}, "exceptions"),
        ("(module (type (struct)))", {"compiler": "winch"}, "gc"),
        ("(module (func (param externref)))", {"compiler": "winch"}, "gc"),
        ("(module (type (func)) (func (param (ref 0))))", {"compiler": "winch"}, "function refer"),
    ],
)
def test_feature_that_is_off_is_named(worker, host, wasm, text, settings, feature):
    """A wasm that needs more than the engine has is A067, with the feature's name."""
    diagnostic = failure(worker, engine_config(host, "", settings), wasm(text))
    assert diagnostic.code == "A067"
    assert feature in diagnostic.message
    assert ("cranelift" in diagnostic.help) == bool(settings)


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "A010", "empty"),
        (b"\0as", "A011", "preamble"),
        (b"(module)", "A010", "text"),
        (b"\x7fELF\2", "A010", "ELF"),
        (b"\0asm\2\0\0\0", "A010", "version 2"),
        (b"\0asm\x0d\0\x07\0", "A010", "layer 7"),
        (b"\0asm\x09\0\1\0", "A068", "unknown binary version"),
        (EMPTY_MODULE + b"\x01", "A066", "at byte 9"),
        (EMPTY_MODULE + b"\x0a\xff\xff\xff\xff\x0f", "A066", "truncated"),
        (EMPTY_MODULE + b"\xff\x00", "A068", "malformed section id"),
        (b"\0asm\x0d\0\1\0\xff\x00", "A068", "malformed section id"),
    ],
)
def test_what_is_no_wasm_is_refused(worker, config, data, code, words):
    """Garbage and truncated input are errors which say what the input is."""
    diagnostic = failure(worker, config, data)
    assert diagnostic.code == code
    assert words in " ".join((diagnostic.message, *diagnostic.notes))


def test_every_truncation_is_refused_or_valid(worker, config, wasm):
    """No prefix of a module crashes the worker or gives an error of another kind."""
    data = wasm('(module (memory 1) (func (export "f") (result i32) i32.const 1) (data "abc"))')
    worker.greeting()
    process = worker._running.process
    codes = set()
    for size in range(len(data)):
        try:
            compile_wasm(worker, config, data[:size])
        except MochiError as error:
            codes |= {item.code for item in error.diagnostics}
    assert codes == {"A010", "A011", "A066", "A068"}
    assert worker._running.process is process


def test_function_that_does_not_validate_is_named(worker, config):
    """An invalid function body is A068 with Wasmtime's reason and the place."""
    body = b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x05\x01\x03\0\x6a\x0b"  # i32.add of nothing
    diagnostic = failure(worker, config, EMPTY_MODULE + body)
    assert diagnostic.code == "A068"
    assert "type mismatch: expected i32" in diagnostic.message
    assert "wasm[0]::function[0]" in diagnostic.notes[0]


def test_foreign_target_is_refused_without_an_abort(worker, host, config):
    """The wheel asked for another platform is A069, and the worker lives on."""
    compile_wasm(worker, config, EMPTY_MODULE)
    process = worker._running.process
    for platform in PLATFORMS:
        if platform is not host:
            diagnostic = failure(worker, engine_config(platform))
            assert diagnostic.code == "A069"
            assert platform.triple in diagnostic.message
    assert worker._running.process is process


def test_abort_becomes_an_error_and_a_new_worker(config):
    """A flag that aborts Wasmtime ends in a clean error; the next request is answered."""
    with AotWorker(worker_command()) as worker:
        worker.greeting()
        first = worker._running.process
        fields = {"kind": "module", **canonical(config), "flags": [["bogus", None]]}
        with pytest.raises(MochiError) as caught:
            worker.request(fields, EMPTY_MODULE)
        [diagnostic] = caught.value.diagnostics
        assert (diagnostic.code, diagnostic.fault) == ("A062", Fault.INTERNAL)
        assert "SIGABRT" in diagnostic.message
        notes = " ".join(diagnostic.notes)
        assert "target='x86_64" in notes or "target='aarch64" in notes
        assert "No existing setting named 'bogus'" in notes
        assert first.returncode == -signal.SIGABRT
        assert compile_wasm(worker, config, EMPTY_MODULE)
        assert worker._running.process.pid != first.pid


def test_worker_killed_between_requests_is_replaced(config):
    """A worker that somebody killed while it was idle is started again without an error."""
    with AotWorker(worker_command()) as worker:
        compile_wasm(worker, config, EMPTY_MODULE)
        process = worker._running.process
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # its threads end one by one
        assert compile_wasm(worker, config, EMPTY_MODULE)


def test_worker_killed_in_a_request_asks_for_memory(config):
    """SIGKILL in the middle is the kernel's for want of memory: the machine's fault."""
    worker = fake(f"frame(b'{GREETING}'); take(); take(); os.kill(os.getpid(), 9)")
    diagnostic = failure(worker, config)
    assert (diagnostic.code, diagnostic.fault) == ("A062", Fault.ENVIRONMENT)
    assert "SIGKILL" in diagnostic.message
    assert "fewer jobs" in diagnostic.help


def test_interrupt_signal_does_not_end_a_worker(config):
    """Ctrl-C reaches the whole group; the worker leaves the decision to its client."""
    with AotWorker(worker_command()) as worker:
        compile_wasm(worker, config, EMPTY_MODULE)
        process = worker._running.process
        os.kill(process.pid, signal.SIGINT)
        assert compile_wasm(worker, config, EMPTY_MODULE)
        assert worker._running.process is process


def test_interrupt_of_the_client_ends_the_worker(config):
    """Ctrl-C while waiting raises KeyboardInterrupt, and leaves no worker with a stale answer."""
    # A shell lets what it starts in the background ignore the signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    worker = fake(f"frame(b'{GREETING}'); take(); take(); time.sleep(60)")
    worker.greeting()
    process = worker._running.process
    # To this very thread: where a process has others, any of them may take a signal.
    here = threading.main_thread().ident
    timer = threading.Timer(0.2, signal.pthread_kill, (here, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        compile_wasm(worker, config, EMPTY_MODULE)
    assert process.returncode is not None
    assert worker._running is None


def test_worker_that_blames_the_machine_is_believed(config):
    """Status 3 is the machine's fault, as everywhere in the product."""
    worker = fake(f"frame(b'{GREETING}'); take(); take(); sys.stderr.write('disk'); sys.exit(3)")
    diagnostic = failure(worker, config)
    assert (diagnostic.code, diagnostic.fault) == ("A062", Fault.ENVIRONMENT)
    assert diagnostic.notes[1] == "its last output was: disk"


def test_worker_that_ignores_the_end_is_killed(monkeypatch):
    """A worker is asked to end, and killed when it does not."""
    monkeypatch.setattr(worker_process, "_END_SECONDS", 0.2)
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    worker = fake(f"{ignore}; frame(b'{GREETING}'); time.sleep(60)")
    worker.greeting()
    process = worker._running.process
    worker.close()
    assert process.returncode == -signal.SIGKILL


def test_time_out_kills_and_says_so(config):
    """A compilation that takes too long is A063, and the worker is gone."""
    worker = fake(f"frame(b'{GREETING}'); take(); take(); time.sleep(60)", seconds=0.3)
    worker.greeting()
    process = worker._running.process
    diagnostic = failure(worker, config)
    assert (diagnostic.code, diagnostic.fault) == ("A063", Fault.ENVIRONMENT)
    assert "0.3 s" in diagnostic.message
    assert process.returncode is not None


def test_worker_that_never_greets_times_out(config, monkeypatch):
    """A program that says nothing is not waited for without end."""
    monkeypatch.setattr(worker_process, "_START_SECONDS", 0.3)
    assert failure(fake("time.sleep(60)"), config).code == "A063"


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("print('Usage: wasmtime')", "A080", "at most"),
        ("sys.exit('no such option')", "A080", "no such option"),
        ("frame(b'[]')", "A080", "no JSON object"),
        ('frame(b\'{"protocol":2,"tool":"x","wasmtime":"48"}\')', "A080", "version 2"),
        ('frame(b\'{"protocol":1,"tool":"x","wasmtime":"47.0.1"}\')', "A061", "48 is required"),
        ('frame(b\'{"protocol":1,"tool":"x","wasmtime":""}\')', "A061", "48 is required"),
    ],
)
def test_program_that_is_not_a_worker_is_refused(config, body, code, words):
    """What does not greet as a worker is A080, one with another Wasmtime A061; both are quoted."""
    diagnostic = failure(fake(body), config)
    assert (diagnostic.code, diagnostic.fault) == (code, Fault.ENVIRONMENT)
    assert words in " ".join((diagnostic.message, *diagnostic.notes))


def test_missing_program_is_named(config):
    """A worker that is not there is A060 with its name."""
    diagnostic = failure(AotWorker(("/nonexistent/worker",)), config)
    assert (diagnostic.code, diagnostic.fault) == ("A060", Fault.ENVIRONMENT)
    assert "`/nonexistent/worker`" in diagnostic.message


def test_started_worker_makes_itself_ready(config):
    """A worker that was started before serves the first request; one that is not there is A060."""
    with AotWorker(worker_command()) as worker:
        worker.start()
        seen = []
        artifact = compile_wasm(worker, config, EMPTY_MODULE, lambda: seen.append("meanwhile"))
    assert artifact.startswith(b"\x7fELF")
    assert seen == ["meanwhile"]
    with pytest.raises(MochiError, match="A060"):
        AotWorker(("/nonexistent/worker",)).start()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("frame(b'{}')", "A081"),
        ("frame(b'null'); frame(b'')", "A081"),
        ("frame(b'{\"error\":null}'); frame(b'MZ')", "A064"),
    ],
)
def test_malformed_answer_is_an_error(config, answer, code):
    """A message outside of the protocol is A081, an answer that is not an artifact is A064."""
    worker = fake(f"frame(b'{GREETING}'); take(); take(); {answer}; time.sleep(60)")
    with worker:
        assert failure(worker, config).code == code


def test_worker_that_ends_in_an_answer_is_dead(config):
    """An answer cut off by the worker's end is A062 with its status."""
    worker = fake(
        f"frame(b'{GREETING}'); take(); take(); sys.stdout.buffer.write(b'\\x09\\0'); sys.exit(5)"
    )
    diagnostic = failure(worker, config)
    assert diagnostic.code == "A062"
    assert "status 5" in diagnostic.message


def test_environment_is_scrubbed(monkeypatch):
    """A worker sees what starting a program takes: nothing that could change an artifact."""
    monkeypatch.setenv("WASMTIME_BACKTRACE_DETAILS", "1")
    monkeypatch.setenv("RUST_BACKTRACE", "1")
    body = (
        "frame(json.dumps({'protocol': 1, 'wasmtime': '48', 'tool': "
        "json.dumps(dict(os.environ))}).encode()); time.sleep(60)"
    )
    with fake(body) as worker:
        seen = json.loads(worker.greeting().tool)
    # LC_CTYPE is Python's own doing, which finds no locale.
    ours = {"LC_CTYPE", "MOCHI_RULES_LIFELINE"}
    libraries = {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}
    assert set(seen) <= {"PATH", "TMPDIR", "TEMP", "TMP"} | ours | libraries


def test_users_modules_do_not_reach_a_worker(config, tmp_path, monkeypatch):
    """Modules in the working directory and on PYTHONPATH cannot shadow what a worker imports."""
    for name in ("wasmtime", "json", "ctypes", "mochi_rules"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with AotWorker(worker_command()) as worker:
        assert compile_wasm(worker, config, EMPTY_MODULE)


def test_prints_do_not_reach_the_protocol(config):
    """Whatever is printed in a worker, by Python or below, goes to stderr."""
    body = (
        "from mochi_rules.aot import worker\n"
        "compile_artifact = worker.compile_artifact\n"
        "def noisy(*request):\n"
        "    print('noise', flush=True); os.write(1, b'noise'); return compile_artifact(*request)\n"
        "worker.compile_artifact = noisy\n"
        "worker.main()"
    )
    with fake(body) as worker:
        assert compile_wasm(worker, config, EMPTY_MODULE)[:4] == b"\x7fELF"


def test_close_does_not_wait_for_a_request(config):
    """A worker can be closed by another thread in the middle: its user gets an error at once."""
    worker = fake(f"frame(b'{GREETING}'); take(); take(); time.sleep(60)")
    worker.greeting()
    process = worker._running.process
    timer = threading.Timer(0.2, worker.close)
    timer.start()
    assert failure(worker, config).code == "A062"
    timer.join()
    assert process.returncode is not None


def test_fork_of_the_client_leaves_the_worker_alone(config):
    """A child that was forked off and exits does not take its parent's worker with it."""
    text = (
        f"import os, sys; sys.path.insert(0, {ROOT!r})\n"
        "from mochi_rules.aot.client import AotWorker\n"
        "from mochi_rules.aot.wheel import worker_command\n"
        "worker = AotWorker(worker_command()); worker.greeting()\n"
        "child = os.fork()\n"
        "if child == 0: sys.exit()\n"
        "os.waitpid(child, 0)\n"
        "print(worker._running.process.poll())\n"
    )
    done = subprocess.run((sys.executable, "-c", text), capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_end_of_stdin_ends_a_worker_with_success():
    """EOF ends a worker: status 0, nothing on stderr."""
    done = subprocess.run(worker_command(), input=b"", capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_nonsense_on_stdin_ends_a_worker_with_an_error():
    """A worker that is sent no request says so and ends, without a traceback."""
    done = subprocess.run(worker_command(), input=b"hello\n", capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"worker: the client sent")


def test_close_leaves_no_process():
    """After `close` the worker is reaped: no process and no zombie."""
    worker = AotWorker(worker_command())
    worker.greeting()
    process = worker._running.process
    worker.close()
    assert process.returncode is not None
    assert not Path(f"/proc/{process.pid}").exists()
    worker.close()


@pytest.mark.parametrize("end", ["pass", "os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_worker_ends_with_its_client(end):
    """However the client ends, its worker ends too."""
    text = (
        f"import os, sys; sys.path.insert(0, {ROOT!r})\n"
        "from mochi_rules.aot.client import AotWorker\n"
        "from mochi_rules.aot.wheel import worker_command\n"
        "worker = AotWorker(worker_command()); worker.greeting()\n"
        "print(worker._running.process.pid, flush=True)\n"
        f"{end}\n"
    )
    done = subprocess.run((sys.executable, "-c", text), capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert wait_until(lambda: not is_alive(int(done.stdout)))


def test_users_of_one_worker_take_turns(worker, config, wasm):
    """Threads that share a worker each get the answer to their own request."""
    texts = [f'(module (func (export "f") (result i32) i32.const {n}))' for n in range(24)]
    wasms = [wasm(text) for text in texts]
    alone = [compile_wasm(worker, config, item) for item in wasms]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda item: compile_wasm(worker, config, item), wasms))
    assert together == alone
    assert len(set(alone)) == len(alone)
