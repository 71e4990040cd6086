"""Executables that `write_executable` makes of real launchers and artifacts."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime

from mochi_rules.aot.config import engine_config
from mochi_rules.aot.executable.payload import find_payload
from mochi_rules.aot.executable.settings import Directory, RunSettings, launcher_settings
from mochi_rules.aot.executable.writer import write_executable
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import find_platform

from .building import Worker, compile_with_wheel, program
from .test_cross import aarch64_launcher  # noqa: F401 - a fixture
from .test_launcher import HELLO, TRAP, run

pytestmark = pytest.mark.slow

LINUX, ARM64 = find_platform("x86_64-linux"), find_platform("aarch64-linux")
WAT = program(HELLO[0], top=HELLO[1])
FOREVER = program("(loop $again (br $again))")


def place(path: Path, data: bytes) -> Path:
    """Write an executable."""
    path.write_bytes(data)
    path.chmod(0o755)
    return path


def test_program_runs(launcher: Path, tmp_path: Path) -> None:
    """An executable prints what its program prints."""
    data = write_executable(LINUX, launcher.read_bytes(), compile_with_wheel(WAT), b"")
    done = run(place(tmp_path / "app", data))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"hello, world\n", b"")


def test_launcher_reads_the_settings(launcher: Path, tmp_path: Path) -> None:
    """Every kind of setting that is written is taken: options, limits and directories."""
    options = {
        "debug_info": True,
        "consume_fuel": True,
        "epoch_interruption": True,
        "memory_reservation": 1 << 30,
        "memory_guard_size": 1 << 20,
    }
    config = engine_config(LINUX, settings=options)
    limits = RunSettings(12345, 60_000, 1 << 24, 1 << 20, (Directory(".", "/data", "rw"),))
    lines = launcher_settings(config, limits)
    artifact = compile_with_wheel(FOREVER, **options)
    path = place(tmp_path / "app", write_executable(LINUX, launcher.read_bytes(), artifact, lines))
    done = run(path)
    assert done.returncode == TRAP
    assert b"out of fuel, which was 12345" in done.stderr
    assert find_payload(path.read_bytes()).settings.run == limits


def test_launcher_finds_what_we_find(launcher: Path, tmp_path: Path) -> None:
    """An executable with a flipped byte is refused by its launcher and here."""
    data = bytearray(write_executable(LINUX, launcher.read_bytes(), compile_with_wheel(WAT), b""))
    data[-5000] ^= 1
    done = run(place(tmp_path / "app", bytes(data)))
    assert done.returncode == 126
    assert b"does not have the recorded SHA-256" in done.stderr
    with pytest.raises(MochiError, match=r"A105.* does not have the recorded SHA-256"):
        find_payload(bytes(data))


def test_program_for_aarch64_runs(
    aarch64_launcher: Path,  # noqa: F811 - the fixture
    worker: Worker,
    tmp_path: Path,
) -> None:
    """A cross-compiled program in a cross-built launcher runs under qemu."""
    error, artifact = worker.ask(bytes(wasmtime.wat2wasm(WAT)), target=ARM64.triple)
    assert error is None
    head = aarch64_launcher.read_bytes()
    path = place(tmp_path / "app", write_executable(ARM64, head, artifact, b""))
    assert run(Path("qemu-aarch64-static"), str(path)).stdout == b"hello, world\n"
    for platform, launcher, wanted in ((LINUX, head, "A107"), (ARM64, head, "A109")):
        with pytest.raises(MochiError, match=wanted):
            write_executable(platform, launcher, compile_with_wheel(WAT), b"")
