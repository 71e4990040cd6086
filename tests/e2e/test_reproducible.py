"""Tests of `scons check-reproducible`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .emulation import COMPILER, EMULATOR, install_emulation
from .project import HELLO
from .tools import install_worker

if TYPE_CHECKING:
    from pathlib import Path

    from .project import Project

pytestmark = pytest.mark.slow


def test_reproducible_outputs_are_listed(quick: Project) -> None:
    """Every output is named, and what was varied."""
    quick.write(HELLO)
    done = quick.scons("check-reproducible")
    assert done.status == 0, done.out + done.err
    assert "app/hello.wasm: equal\n" in done.out
    (line,) = [text for text in done.out.splitlines() if text.startswith("varied: ")]
    names = line.removeprefix("varied: ").split(", ")
    always = ["cache", "remote cache", "locale", "time zone", "home", "hash seed", "umask", "jobs"]
    assert [name for name in names if name in always] == always
    assert not (quick.root / "build" / "x86_64-linux-release").exists()


def test_output_that_depends_on_the_machine_is_found_with_its_cause(quick: Project) -> None:
    """Each variation is tried alone, so that the cause has a name."""
    build_file = (
        "import os\nlevel = 0 if 'Kiritimati' in os.environ.get('TZ', '') else 2\n"
        'mochi_binary(name="hello", srcs=["hello.mochi"], optimize=level)\n'
    )
    quick.write({**HELLO, "app/SConscript": build_file})
    done = quick.scons("check-reproducible")
    assert done.status == 2
    assert "app/hello.wasm: differs by time zone\n" in done.out, done.out


def test_failing_build_is_reported(quick: Project) -> None:
    """With what scons said."""
    quick.write({**HELLO, "app/hello.mochi": 'print(1 - "a")\n'})
    done = quick.scons("check-reproducible")
    assert done.status == 2
    assert "error[R035]: the build in the folder `plain` failed" in done.err


@pytest.mark.needs("cargo", "wasmtime", COMPILER, EMULATOR)
def test_all_tools_are_compared_in_one_run(quick: Project, tmp_path: Path) -> None:
    """The wheel, the worker, the command and the emulated wheel make the same bytes."""
    install_worker(tmp_path / "data")
    install_emulation(tmp_path / "data")
    quick.environment["XDG_DATA_HOME"] = str(tmp_path / "data")
    quick.write(HELLO)
    done = quick.scons("check-reproducible", "target=x86_64-linux,aarch64-linux")
    assert done.status == 0, done.out + done.err
    assert ", worker, command, emulation for aarch64-linux, " in done.out
    assert done.out.endswith("8 of 8 outputs are reproducible\n")
