"""WebAssembly of other languages built by the same steps as our own.

Each module is built from its source by the language's own compiler, imported by the rule, and run;
what it prints is what it prints under the plain Wasmtime wheel, on this machine and on aarch64.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.aot.executable.writer import write_executable
from mochi_rules.platforms.platform import find_platform
from tests.native.building import cc_build
from tests.needs import need

from .emulation import COMPILER

if TYPE_CHECKING:
    from .emulation import Emulation
    from .project import Project

FOREIGN = Path(__file__).parent / "foreign"
STDIN = b"delta alpha\ncharlie bravo\n"
CLANG = ["clang", "--target=wasm32-wasi", "-O2"]
SOURCES = {
    "words.c": [*CLANG, "words.c", "-o"],
    "simd.c": [*CLANG, "-msimd128", "simd.c", "-o"],
    "words.go": ["go", "build", "-o"],
}
ALL = [*SOURCES, "memory.wat"]
ARM = find_platform("aarch64-linux")


def _build(source: str, out: Path) -> None:
    """Build a module from its source."""
    if source.endswith(".wat"):
        out.write_bytes(wasmtime.wat2wasm((FOREIGN / source).read_text(encoding="utf-8")))
        return
    command = SOURCES[source]
    need(command[0])
    words = [*command, str(out)] + (["words.go"] if source.endswith(".go") else [])
    variables = {**os.environ, "GOOS": "wasip1", "GOARCH": "wasm"}
    subprocess.run(words, cwd=FOREIGN, env=variables, check=True, capture_output=True)


def _plainly(wasm: Path, folder: Path) -> str:
    """Run a module with nothing but the wheel; return what it prints."""
    (folder / "stdin").write_bytes(STDIN)
    wasi = wasmtime.WasiConfig()
    wasi.argv = [wasm.name]
    wasi.stdin_file, wasi.stdout_file = folder / "stdin", folder / "stdout"
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    instance = linker.instantiate(store, wasmtime.Module.from_file(engine, str(wasm)))
    with suppress(wasmtime.ExitTrap):  # the language's own way to end well
        instance.exports(store)["_start"](store)
    return (folder / "stdout").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("source", ALL)
def test_foreign_module_is_built_checked_and_runs_as_under_wasmtime(
    source: str, quick: Project, tmp_path: Path
) -> None:
    """The import goes through all steps, and its artifact prints what the plain wheel prints."""
    wasm = quick.root / "app" / "foreign.wasm"
    wasm.parent.mkdir()
    _build(source, wasm)
    quick.write({"app/SConscript": 'wasm_import(name="out", src="foreign.wasm")\n'})
    done = quick.scons("mode=release")
    assert [verb for verb, _, _ in done.steps] == ["import", "aot", "check", "object"], done.err
    [artifact] = quick.root.glob("build/*/app/out.cwasm")
    command = [sys.executable, "-m", "mochi_rules", "run", str(artifact)]
    ran = subprocess.run(
        command, input=STDIN, env=quick.variables(), capture_output=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.decode() == _plainly(wasm, tmp_path)


@pytest.fixture(scope="session")
def bundle(emulation: Emulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the launcher of a bundle for aarch64, and its library."""
    directory = tmp_path_factory.mktemp("bundle")
    (directory / "libwasmtime.so").symlink_to(emulation.library)
    cc_build(COMPILER, directory)
    return directory


@pytest.mark.slow
@pytest.mark.parametrize("source", ALL)
def test_foreign_module_for_aarch64_runs_as_here(
    source: str, quick: Project, emulation: Emulation, bundle: Path, tmp_path: Path
) -> None:
    """Built for the other machine from this one, an executable prints the same under qemu."""
    wasm = quick.root / "app" / "foreign.wasm"
    wasm.parent.mkdir()
    _build(source, wasm)
    quick.environment["XDG_DATA_HOME"] = str(emulation.data)
    quick.write({"app/SConscript": 'wasm_import(name="out", src="foreign.wasm")\n'})
    done = quick.scons("target=aarch64-linux", "toolchain=system", "//app:out")
    assert {verb for verb, _, _ in done.steps} >= {"import", "aot", "check", "object"}, done.err
    [artifact] = quick.root.glob("build/aarch64-linux-release/app/out.cwasm")
    for path in (artifact, artifact.with_suffix(".o")):
        assert quick.cli("verify", str(path), "--target", "aarch64-linux").status == 0
    launcher = (bundle / "launcher").read_bytes()
    program = bundle / "out"
    program.write_bytes(write_executable(ARM, launcher, artifact.read_bytes(), b""))
    program.chmod(0o755)
    assert emulation.run([program], STDIN) == (0, _plainly(wasm, tmp_path).encode(), b"")
