"""Components, which are WebAssembly with WASI 0.2: the same steps, up to the object."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.platforms.platform import host_platform
from tests.needs import need

if TYPE_CHECKING:
    from .emulation import Emulation
    from .project import Project

FOREIGN = Path(__file__).parent / "foreign"
TARGET = "wasm32-wasip2"
BUILD = f"build/{host_platform().name}-release"
RULE = 'wasm_import(name="out", src="in.wasm", executable=False)\n'


@pytest.fixture(scope="module")
def component() -> bytes:
    """Return a component that prints a line."""
    return bytes(wasmtime.wat2wasm((FOREIGN / "component.wat").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def rust_component(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a component that Rust makes."""
    need("rustc")
    found = subprocess.run(
        ["rustc", "--print", "target-libdir", "--target", TARGET], capture_output=True, check=True
    )
    if not Path(found.stdout.decode().strip()).is_dir():
        pytest.skip(f"the Rust library for {TARGET} is missing")
    path = tmp_path_factory.mktemp("rust") / "words.wasm"
    command = ["rustc", "--target", TARGET, "--edition", "2024", "-O", "words.rs", "-o", str(path)]
    subprocess.run(command, cwd=FOREIGN, check=True, capture_output=True)
    return path.read_bytes()


def run(project: Project, *words: str, stdin: bytes = b"") -> tuple[int, bytes, bytes]:
    """Run `mochi-rules run`; return its status, and what was printed."""
    command = [sys.executable, "-m", "mochi_rules", "run", *words]
    done = subprocess.run(
        command,
        cwd=project.root,
        env=project.variables(),
        input=stdin,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_component_becomes_an_object_and_runs(quick: Project, component: bytes) -> None:
    """Imported, compiled, checked and wrapped; a test runs it, and so do we from each form."""
    rules = RULE + 'mochi_test(name="t", program=":out", expected="out.txt")\n'
    line = "hello from a component\n"
    quick.write({"app/SConscript": rules, "app/in.wasm": component, "app/out.txt": line})
    done = quick.scons()
    assert [verb for verb, _, _ in done.steps] == ["import", "aot", "check", "object"], done.err
    assert "error" not in done.err
    assert quick.scons("test").summary.endswith(" · 1 test passed")
    for name in (f"{BUILD}/app/out.wasm", f"{BUILD}/app/out.cwasm"):
        assert run(quick, name) == (0, line.encode(), b"")
    assert quick.cli("verify", f"{BUILD}/app/out.o").status == 0


@pytest.mark.slow
def test_artifact_of_a_component_is_taken(quick: Project, component: bytes) -> None:
    """A prebuilt one is checked and wrapped as that of a module."""
    quick.write({"in.wasm": component, "pre/SConscript": 'cwasm(name="pre", src="pre.cwasm")\n'})
    assert quick.cli("build", "in.wasm", "-o", "pre/pre.cwasm").status == 0
    assert [verb for verb, _, _ in quick.scons().steps] == ["check", "object"]


@pytest.mark.slow
def test_component_is_built_for_another_platform(
    quick: Project, component: bytes, emulation: Emulation
) -> None:
    """It is checked and wrapped for that platform, and for no other."""
    quick.environment["XDG_DATA_HOME"] = str(emulation.data)
    quick.write({"app/SConscript": RULE, "app/in.wasm": component})
    assert quick.scons("target=aarch64-linux", "toolchain=system", "//app:out").status == 0
    built = "build/aarch64-linux-release/app/out.o"
    assert quick.cli("verify", built, "--target", "aarch64-linux").status == 0
    assert quick.cli("verify", built, "--target", "x86_64-linux").status == 1


def test_executable_of_a_component_is_refused(quick: Project, component: bytes) -> None:
    """With what to write instead."""
    rule = 'wasm_import(name="out", src="in.wasm")\n'
    quick.write({"app/SConscript": rule, "app/in.wasm": component})
    done = quick.scons()
    assert done.status == 2
    assert done.err.startswith(
        "error[B031]: `app/in.wasm` cannot become an executable: it is a component\n"
    )
    assert "\nhelp: write `executable = False`\n" in done.err


@pytest.mark.slow
def test_component_of_rust_runs(quick: Project, rust_component: bytes) -> None:
    """With arguments, standard streams and a status."""
    quick.write({"app/SConscript": RULE, "app/in.wasm": rust_component})
    assert quick.scons().status == 0
    artifact = f"{BUILD}/app/out.cwasm"
    words = run(quick, artifact, "--", "x", "y z", stdin=b"delta alpha\ncharlie")
    assert words == (0, b'alpha charlie delta of ["x", "y z"]\n', b"")
    assert run(quick, artifact) == (1, b" of []\n", b"")
