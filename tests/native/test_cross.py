"""The launcher that is cross-built for aarch64, under qemu."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import wasmtime

from tests.needs import need

from .building import (
    Programs,
    Worker,
    build_launcher,
    compile_with_wheel,
    has_rust_target,
    machine_folders,
    program,
)
from .test_launcher import HELLO, RECURSE, TRAP, run, strings

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Start = Callable[..., subprocess.CompletedProcess[bytes]]

pytestmark = pytest.mark.slow

RUST_TARGET = "aarch64-unknown-linux-musl"
TARGET = "aarch64-unknown-linux-gnu"


@pytest.fixture(scope="module")
def aarch64_launcher() -> Path:
    """Cross-build the launcher."""
    need("aarch64-linux-gnu-gcc", "qemu-aarch64-static")
    if not has_rust_target(RUST_TARGET):
        pytest.skip(f"the Rust library for {RUST_TARGET} is missing")
    return build_launcher(RUST_TARGET)


@pytest.fixture
def start(aarch64_launcher: Path, worker: Worker, tmp_path: Path) -> Start:
    """Compile WAT for aarch64, attach it, and run it."""

    def start(wat: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        error, artifact = worker.ask(bytes(wasmtime.wat2wasm(wat)), target=TARGET)
        assert error is None
        path = Programs(aarch64_launcher, tmp_path).attach(artifact)
        return run(Path("qemu-aarch64-static"), str(path), *arguments)

    return start


def test_program_runs_with_its_arguments(start: Start) -> None:
    """A cross-built program prints and is passed its arguments."""
    assert start(program(HELLO[0], top=HELLO[1])).stdout == b"hello, world\n"
    assert start(strings("args", "files"), "one").stdout == b"app\0one\0"


def test_status_and_trap_are_as_everywhere(start: Start) -> None:
    """A status passes through, and a trap of the other machine's signals is reported."""
    assert start(program("(call $exit (i32.const 200))")).returncode == 200
    done = start(program("(drop (i32.load (i32.const -4)))"))
    assert done.returncode == TRAP
    assert done.stderr == b"error: `app`: wasm trap: out of bounds memory access\n  at main\n"


def test_recursion_is_deep_and_ends(start: Start) -> None:
    """The stack is as deep as at home."""
    assert start(program("(drop (call $down (i32.const 1000000)))", top=RECURSE)).returncode == 0
    done = start(program("(drop (call $down (i32.const -1)))", top=RECURSE))
    assert done.stderr.startswith(b"error: `app`: wasm trap: call stack exhausted\n")


def test_cross_built_launcher_names_no_folder_of_this_machine(aarch64_launcher: Path) -> None:
    """The bytes are the same wherever it is built."""
    data = aarch64_launcher.read_bytes()
    assert [name for name in machine_folders(aarch64_launcher) if name.encode() in data] == []


def test_program_of_this_machine_is_refused(aarch64_launcher: Path, tmp_path: Path) -> None:
    """Both sides are named."""
    artifact = compile_with_wheel(program(HELLO[0], top=HELLO[1]))
    path = Programs(aarch64_launcher, tmp_path).attach(artifact)
    done = run(Path("qemu-aarch64-static"), str(path))
    assert done.returncode == 126
    assert b"`x86_64-unknown-linux-gnu`" in done.stderr
    assert b"`aarch64-unknown-linux-musl`" in done.stderr
