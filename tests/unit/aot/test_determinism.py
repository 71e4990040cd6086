"""The same input gives the same bytes, wherever and however often it is compiled."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mochi_rules.aot.client import compile_wasm
from mochi_rules.aot.config import engine_config
from mochi_rules.aot.probe import EMPTY_MODULE, engine_section

ROOT = str(Path(__file__).resolve().parents[3])

SETTINGS = ({}, {"debug_info": True}, {"compiler": "winch"}, {"consume_fuel": True})

# Prints the digests of one module and of the probe under each of the settings.
SCRIPT = f"""
import hashlib, sys
sys.path.insert(0, {ROOT!r})
from mochi_rules.aot.client import AotWorker, compile_wasm
from mochi_rules.aot.config import engine_config
from mochi_rules.aot.probe import EMPTY_MODULE, engine_section
from mochi_rules.aot.wheel import worker_command
from mochi_rules.platforms.platform import host_platform

wasm = bytes.fromhex(sys.stdin.read())
with AotWorker(worker_command()) as worker:
    for settings in {SETTINGS!r}:
        config = engine_config(host_platform(), "", settings)
        print(hashlib.sha256(compile_wasm(worker, config, wasm)).hexdigest())
        print(engine_section(compile_wasm(worker, config, EMPTY_MODULE)).hex())
"""


def program(wasm):
    """Return a module of a hundred functions that call each other through memory and a table."""
    functions = "".join(
        f"(func $f{n} (param i32 f64) (result f64)"
        f" (f64.store (local.get 0) (f64.floor (local.get 1)))"
        f" (call $f{(n + 1) % 100} (i32.const {n}) (f64.const {n}.5))"
        f" (f64.add (f64.load offset={n} (local.get 0))))"
        for n in range(100)
    )
    return wasm(
        f'(module (memory 1) (table 1 funcref) {functions} (export "f" (func $f0)) (data "abc"))'
    )


@pytest.mark.slow
def test_surroundings_do_not_change_the_bytes(wasm, tmp_path):
    """Another directory, hash seed, locale, time zone and home give the same artifacts."""
    surroundings = (
        {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C", "HOME": "/"},
        {
            "PYTHONHASHSEED": "4242",
            "TZ": "Pacific/Kiritimati",
            "LC_ALL": "de_DE.UTF-8",
            "HOME": str(tmp_path),
            "WASMTIME_BACKTRACE_DETAILS": "1",
            "RAYON_NUM_THREADS": "7",
            "COLUMNS": "20",
        },
    )
    outputs = []
    for index, extra in enumerate(surroundings):
        directory = tmp_path / "a b ü" / str(index)
        directory.mkdir(parents=True)
        done = subprocess.run(
            (sys.executable, "-c", SCRIPT),
            input=program(wasm).hex(),
            env={"PATH": os.environ["PATH"], **extra},
            cwd=directory,
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(done.stdout.split())
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == len(set(outputs[0])) == 2 * len(SETTINGS)


def test_what_a_worker_did_before_does_not_change_the_bytes(worker, host, wasm):
    """A worker that has compiled other things gives the bytes of a fresh one."""
    config = engine_config(host)
    first = hashlib.sha256(compile_wasm(worker, config, program(wasm))).digest()
    probe = engine_section(compile_wasm(worker, config, EMPTY_MODULE))
    for settings in SETTINGS:
        compile_wasm(worker, engine_config(host, "", settings), wasm("(module (func (param f32)))"))
    assert hashlib.sha256(compile_wasm(worker, config, program(wasm))).digest() == first
    worker.close()
    assert hashlib.sha256(compile_wasm(worker, config, program(wasm))).digest() == first
    assert engine_section(compile_wasm(worker, config, EMPTY_MODULE)) == probe


def test_debug_information_does_not_count_modules(worker, host, wasm):
    """A module without a name has the same debug information whatever was compiled before."""
    config = engine_config(host, "", {"debug_info": True})
    nameless = wasm('(module (func (export "f") (result i32) i32.const 1))')
    first = compile_wasm(worker, config, nameless)
    assert compile_wasm(worker, config, nameless) == first
    compile_wasm(worker, engine_config(host), nameless)
    assert compile_wasm(worker, config, nameless) == first


def test_explicit_default_makes_the_same_artifact(worker, host, wasm):
    """A size written out as the default makes the same bytes: one key for both is right."""
    sizes = {"memory_reservation": 4 << 30, "memory_guard_size": 32 << 20}
    explicit, default = engine_config(host, "", sizes), engine_config(host)
    data = program(wasm)
    assert compile_wasm(worker, explicit, data) == compile_wasm(worker, default, data)
