"""The worker against the wheel: equal bytes, every target, and errors that it survives."""

from __future__ import annotations

import os
import re
import struct
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import wasmtime

from .building import HOST, Worker, compile_with_wheel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

# Something of everything that a setting may change: memory, floats, calls, loops, bits.
WAT = """(module $sample
  (memory (export "memory") 2)
  (data (i32.const 8) "data")
  (func $round (param f64) (result f64) (f64.nearest (f64.sqrt (local.get 0))))
  (func $bits (param i64) (result i64) (i64.add (i64.clz (local.get 0)) (i64.popcnt (local.get 0))))
  (func (export "sum") (param $n i32) (result f64) (local $sum f64)
    (loop $next
      (local.set $sum (f64.add (local.get $sum) (call $round (f64.load (local.get $n)))))
      (i64.store offset=64 (local.get $n) (call $bits (i64.load (local.get $n))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 8)))))
    (local.get $sum)))"""

V3 = ["x86-64-v3", "has_avx"]

SETTINGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "v3": {"flags": [[name, None] for name in V3]},
    "one-feature": {"flags": [["has_popcnt", "true"], ["has_bmi1", None]]},
    "no-optimization": {"opt_level": "none"},
    "size": {"opt_level": "speed_and_size"},
    "winch": {"compiler": "winch"},
    "debug-info": {"debug_info": True},
    "fuel": {"consume_fuel": True},
    "epoch": {"epoch_interruption": True},
    "small-memory": {"memory_reservation": 1 << 20, "memory_guard_size": 65536},
    "no-guard": {"memory_guard_size": 0},
    "no-signals": {"signals_based_traps": False},
    "nan": {"nan_canonicalization": True},
    "together": {"consume_fuel": True, "epoch_interruption": True, "debug_info": True},
}

TARGETS = {
    "x86_64-unknown-linux-gnu": 62,
    "aarch64-unknown-linux-gnu": 183,
    "x86_64-apple-darwin": 62,
    "aarch64-apple-darwin": 183,
    "x86_64-pc-windows-msvc": 62,
    "aarch64-pc-windows-msvc": 183,
    "riscv64gc-unknown-linux-gnu": 243,
    "s390x-unknown-linux-gnu": 22,
}

WASM = bytes(wasmtime.wat2wasm(WAT))
NAMELESS = bytes(wasmtime.wat2wasm(WAT.replace("$sample", "")))


@pytest.mark.parametrize("name", SETTINGS)
def test_artifacts_are_those_of_the_wheel(worker: Worker, name: str) -> None:
    """Worker and wheel make the same bytes under the same settings."""
    error, artifact = worker.ask(WASM, **SETTINGS[name])
    assert error is None
    assert _without_patch(artifact) == _without_patch(compile_with_wheel(WASM, **SETTINGS[name]))


def _without_patch(artifact: bytes) -> bytes:
    """Return it without the one place that names a patch release, a helper in debug info."""
    return re.sub(rb"(?<=wasmtime_set_vmctx_memory_48_0_)\d+", b"", artifact)


def test_debug_information_does_not_count_requests(worker: Worker) -> None:
    """The second artifact of a nameless module is the first, byte for byte."""
    first = worker.ask(NAMELESS, debug_info=True)
    assert first[0] is None
    assert worker.ask(NAMELESS, debug_info=True) == first


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_compiled_for(worker: Worker, target: str) -> None:
    """An artifact of every platform is an ELF file of that machine, and names its target."""
    error, artifact = worker.ask(WASM, target=target)
    assert error is None
    order = ">" if target.startswith("s390x") else "<"
    assert struct.unpack_from(f"{order}H", artifact, 18) == (TARGETS[target],)
    assert target.encode() in artifact[:256]


def test_a_component_is_compiled(worker: Worker) -> None:
    """A component becomes the wheel's artifact too."""
    component = bytes(wasmtime.wat2wasm("(component (core module (func)))"))
    error, artifact = worker.ask(component, kind="component")
    assert error is None
    assert len(artifact) > 1000
    assert "component" in (worker.ask(component)[0] or "")


def test_greeting_names_protocol_and_version(worker: Worker) -> None:
    """The first frame says what was started."""
    assert worker.greeting["protocol"] == 1
    assert worker.greeting["tool"] == "aot-worker"
    assert worker.greeting["wasmtime"].startswith("48.0.")


BAD_REQUESTS = {
    b"": "EOF",
    b"{": "EOF",
    b"\xff": "expected value",
    b"[]": "request",
    b'{"kind":"module"}': "missing field",
    b'{"kind":"library"}': "unknown variant `library`",
    b'{"kernel":1}': "unknown field `kernel`",
}


@pytest.mark.parametrize("request_bytes", BAD_REQUESTS)
def test_bad_request_is_an_answer(worker: Worker, request_bytes: bytes) -> None:
    """What is not a request is answered with its mistake, and the worker lives on."""
    error, artifact = worker.ask_raw(request_bytes, WASM)
    assert BAD_REQUESTS[request_bytes] in (error or "")
    assert artifact == b""
    assert worker.ask(WASM)[0] is None


BAD_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"flags": [["bogus", None]]}, "bogus"),
    ({"flags": [["has_lse", None]]}, "has_lse"),
    ({"flags": [["opt_level", "fast"]]}, "speed_and_size"),
    ({"flags": [["unwind_info", "false"]], "target": "x86_64-pc-windows-msvc"}, "Windows"),
    ({"target": "x86_64-unknown-beos"}, "beos"),
    ({"target": "wasm32"}, "not been implemented"),
    ({"compiler": "winch", "target": "s390x-unknown-linux-gnu"}, "not supported"),
    ({"compiler": "winch", "debug_info": True}, "Winch"),
    ({"memory_reservation": -1}, "-1"),
    ({"opt_level": "fastest"}, "fastest"),
]


@pytest.mark.parametrize(("changes", "word"), BAD_SETTINGS, ids=lambda item: str(item)[:40])
def test_bad_setting_is_an_answer(worker: Worker, changes: dict[str, Any], word: str) -> None:
    """A setting that Wasmtime refuses is answered with its reason, and the worker lives on."""
    error, artifact = worker.ask(WASM, **changes)
    assert word in (error or "")
    assert artifact == b""
    assert worker.ask(WASM)[0] is None


BAD_WASM = [b"", b"\0asm", WASM[:40], WASM[:-1], b"\0asm\1\0\0\0\xff", WAT.encode()]


@pytest.mark.parametrize("wasm", BAD_WASM, ids=range(len(BAD_WASM)))
def test_bad_wasm_is_an_answer(worker: Worker, wasm: bytes) -> None:
    """Truncated and foreign bytes, even WAT, are answered with an error."""
    error, artifact = worker.ask(wasm)
    assert "WebAssembly" in (error or "")
    assert artifact == b""
    assert worker.ask(WASM)[0] is None


def test_deep_nesting_is_compiled(worker: Worker) -> None:
    """Ten thousand blocks inside each other do not exhaust the worker's stack."""
    depth = 10_000
    body = b"\x00" + b"\x02\x40" * depth + b"\x0b" * (depth + 1)
    size = _leb(len(body))
    code = b"\x01" + size + body
    head = b"\0asm\1\0\0\0\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00"
    error, _ = worker.ask(head + b"\x0a" + _leb(len(code)) + code)
    assert error is None


def _leb(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _leb(rest) if rest else bytes([low])


def test_environment_does_not_change_artifacts(worker_path: Path) -> None:
    """The variable that makes Wasmtime embed DWARF is dropped."""
    worker = Worker(worker_path, os.environ | {"WASMTIME_BACKTRACE_DETAILS": "1"})
    _, artifact = worker.ask(WASM)
    assert worker.close() == 0
    assert artifact == compile_with_wheel(WASM)


@pytest.mark.parametrize("data", [b"\x05", b"\x05\0\0\0abc", b"\x02\0\0\0{}"])
def test_end_inside_a_request_is_an_error(worker_path: Path, data: bytes) -> None:
    """A client that dies in the middle leaves no zombie and no clean exit."""
    done = subprocess.run([worker_path], input=data, capture_output=True, timeout=10, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: aot-worker: ")


def test_false_length_costs_no_memory(worker_path: Path) -> None:
    """A frame that claims four gigabytes is not allocated before it comes."""
    limited = f"ulimit -v 1000000; exec '{worker_path}'"
    command = ["sh", "-c", limited]
    data = b"\xff\xff\xff\xffabc"
    done = subprocess.run(command, input=data, capture_output=True, timeout=10, check=False)
    assert done.returncode == 1


def test_host_artifact_runs_in_the_wheel(worker: Worker) -> None:
    """What the worker compiles, another patch release of the same major loads and runs."""
    add = "(param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1))"
    wasm = wasmtime.wat2wasm(f'(module (func (export "add") {add}))')
    _, artifact = worker.ask(bytes(wasm), target=HOST)
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    instance = wasmtime.Instance(store, wasmtime.Module.deserialize(engine, artifact), [])
    assert instance.exports(store)["add"](store, 2, 40) == 42
