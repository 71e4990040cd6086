"""Every tool that compiles ahead of time makes the same bytes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.aot.client import AotWorker, compile_wasm
from mochi_rules.aot.config import EngineConfig, engine_config
from mochi_rules.aot.tools import emulated
from mochi_rules.aot.tools.command_line import command_line_toolchains
from mochi_rules.aot.tools.wheel_download import fetch_wheel
from mochi_rules.aot.wheel import worker_command
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.platforms.platform import find_platform, host_platform
from tests.needs import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    Workers = dict[str, AotWorker]

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[1] / "golden" / "run"
ARM = find_platform("aarch64-linux")
RISCV = find_platform("riscv64-linux")

FLOATS = """(module (memory 1)
  (func (export "f") (param f64) (result f64)
    (f64.store (i32.const 8) (f64.nearest (local.get 0)))
    (f64.sqrt (f64.mul (f64.load (i32.const 8)) (f64.floor (local.get 0))))))"""
SIMD = """(module (func (export "f") (param v128 v128) (result v128)
  (i8x16.popcnt (i32x4.mul (local.get 0) (f32x4.min (local.get 0) (local.get 1))))))"""


def _program(name: str) -> bytes:
    sources = {name: (GOLDEN / name).read_text(encoding="utf-8")}
    return compile_program(CompileRequest(name, sources)).wasm


MODULES = {
    "empty": lambda: b"\0asm\x01\0\0\0",
    "floats": lambda: bytes(wasmtime.wat2wasm(FLOATS)),
    "simd": lambda: bytes(wasmtime.wat2wasm(SIMD)),
    "program": lambda: _program("queries.mochi"),
    "component": lambda: bytes(wasmtime.wat2wasm("(component (core module (func)))")),
}

# A CPU level by architecture, and options.
SETTINGS: tuple[tuple[dict[str, str], dict[str, object]], ...] = (
    ({}, {}),
    ({}, {"opt_level": "none"}),
    ({}, {"opt_level": "speed_and_size"}),
    ({"x86_64": "x86-64-v4", "aarch64": "armv8.6"}, {}),
    ({}, {"consume_fuel": True, "epoch_interruption": True, "nan_canonicalization": True}),
    ({}, {"memory_reservation": 1 << 20, "memory_guard_size": 1 << 16}),
    ({}, {"signals_based_traps": False, "memory_guard_size": 0}),
)
PLATFORMS = ("x86_64-linux", "aarch64-linux")


@pytest.fixture(scope="module")
def rust_worker(worker_path: Path) -> Iterator[AotWorker]:
    """Start the Rust worker."""
    with AotWorker((str(worker_path),), 60) as worker:
        yield worker


@pytest.fixture(scope="module")
def command() -> Iterator[AotWorker]:
    """Start a worker of the `wasmtime` on PATH."""
    need("wasmtime")
    found = command_line_toolchains(host_platform())
    assert [item.missing for item in found] == [""] * len(found)
    with AotWorker(found[0].command, 60) as worker:
        yield worker


@pytest.fixture(scope="module")
def emulated_wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AotWorker]:
    """Fetch the wheel for aarch64, build the program around it, and start a worker of it."""
    need("aarch64-linux-gnu-gcc", "qemu-aarch64-static")
    directory = tmp_path_factory.mktemp("emulated")
    for name, data in emulated.prepare(ARM, fetch_wheel(ARM)).items():
        (directory / name).write_bytes(data)
        (directory / name).chmod(0o755)
    with AotWorker(emulated.worker_command(ARM, directory), 120) as worker:
        yield worker


@pytest.fixture(scope="module")
def wheel() -> Iterator[AotWorker]:
    """Start a worker of the wheel."""
    with AotWorker(worker_command(), 60) as worker:
        yield worker


TOOLS = {
    "wheel": {host_platform().name},
    "rust_worker": set(PLATFORMS),
    "command": set(PLATFORMS),
    "emulated_wheel": {ARM.name},
}


@pytest.fixture
def workers(request: pytest.FixtureRequest, platform: str) -> Workers:
    """Return the tools here that compile for the platform; one alone has nothing to agree with."""
    found = {}
    for name, platforms in TOOLS.items():
        if platform in platforms:
            try:
                found[name] = request.getfixturevalue(name)
            except pytest.skip.Exception as lack:
                missing = str(lack)
    if len(found) < 2:
        pytest.skip(missing)
    return found


def _configurations(platform: str, **more: object) -> Iterator[EngineConfig]:
    row = find_platform(platform)
    for levels, settings in SETTINGS:
        yield engine_config(row, levels.get(row.cpu, ""), {**settings, **more})


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("module", MODULES)
def test_all_tools_make_the_same_artifact(platform: str, workers: Workers, module: str) -> None:
    """A module under a configuration is one artifact, whichever tool makes it."""
    wasm = MODULES[module]()
    for config in _configurations(platform):
        made = {name: compile_wasm(worker, config, wasm) for name, worker in workers.items()}
        assert len(set(made.values())) == 1, {name: len(data) for name, data in made.items()}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_debug_information_differs_in_the_patch_only(platform: str, workers: Workers) -> None:
    """With debug information only the name of a helper differs, which has the patch in it.

    The module has no name, and is compiled twice: nothing counts modules.
    """
    wasm = MODULES["floats"]()
    config = engine_config(find_platform(platform), "", {"debug_info": True})
    made = set()
    for worker in workers.values():
        first = compile_wasm(worker, config, wasm)
        assert compile_wasm(worker, config, wasm) == first
        made.add(re.sub(rb"(?<=wasmtime_set_vmctx_memory_48_0_)\d+", b"", first))
    assert len(made) == 1


@pytest.mark.parametrize("tool", ["rust_worker", "command"])
@pytest.mark.parametrize("operation", ["i32x4.add", "i8x16.swizzle", "f32x4.min"])
def test_simd_for_riscv64_is_refused(
    request: pytest.FixtureRequest, tool: str, operation: str
) -> None:
    """What Wasmtime panics on, or has no rule for, is A065, and the worker lives on."""
    worker: AotWorker = request.getfixturevalue(tool)
    config = engine_config(RISCV)
    wasm = wasmtime.wat2wasm(
        '(module (func (export "f") (param v128 v128) (result v128)'
        f" ({operation} (local.get 0) (local.get 1))))"
    )
    with pytest.raises(MochiError, match=r"A065.*`riscv64-linux`: most likely it uses SIMD"):
        compile_wasm(worker, config, bytes(wasm))
    assert compile_wasm(worker, config, MODULES["floats"]())


@pytest.mark.parametrize("platform", [ARM.name])
def test_refusals_are_the_same(platform: str, workers: Workers) -> None:
    """Every tool refuses wasm that is not valid with the same code and the same reason."""
    body = b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x05\x01\x03\0\x6a\x0b"  # i32.add of nothing
    config = engine_config(find_platform(platform))
    for wasm in (b"\0asm\x01\0\0\0" + body, MODULES["floats"]()[:30]):
        errors = set()
        for worker in workers.values():
            with pytest.raises(MochiError) as caught:
                compile_wasm(worker, config, wasm)
            errors.add(str(caught.value))
        assert len(errors) == 1, errors


def test_emulated_wheel_refuses_other_platforms(emulated_wheel: AotWorker) -> None:
    """Asked for another platform, the emulated wheel says so, and lives on."""
    with pytest.raises(MochiError, match=r"A069.*`aarch64-linux`"):
        compile_wasm(emulated_wheel, engine_config(RISCV), MODULES["empty"]())
    assert compile_wasm(emulated_wheel, engine_config(ARM), MODULES["empty"]())


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("bogus=1", "`bogus=1` is no setting"),
        ("x", "`x` is no setting"),
        ("opt_level=fast", "`opt_level=fast` is no setting"),
        ("debug_info=yes", "`yes` is no number"),
        ("memory_guard_size=1x", "`1x` is no number"),
        ("target=beos", "beos"),
    ],
)
def test_program_refuses_settings_it_does_not_know(
    emulated_wheel: AotWorker, tmp_path: Path, setting: str, words: str
) -> None:
    """What the C program does not understand is an error, never left out."""
    emulator, *files = emulated_wheel.command[-3:]
    (tmp_path / "in").write_bytes(MODULES["empty"]())
    command = [emulator, "-L", "/usr/aarch64-linux-gnu", *files, "in", "out", setting]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert not (tmp_path / "out").exists()
