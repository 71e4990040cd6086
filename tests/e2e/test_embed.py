"""The examples of embedding: an object is linked into a host, which runs the program in it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.native.building import NATIVE, wheel_library

from .emulation import COMPILER
from .project import REPOSITORY

if TYPE_CHECKING:
    from .emulation import Emulation
    from .project import Project

pytestmark = pytest.mark.slow

EXAMPLES = REPOSITORY / "examples"
PROGRAM = EXAMPLES / "wordcount"
WARNINGS = ["-Wall", "-Wextra", "-Werror"]


@pytest.fixture
def embed(quick: Project) -> Path:
    """Return a copy of the example, which can be written where the example cannot."""
    folder = Path(shutil.copytree(EXAMPLES / "embed", quick.root / "embed"))
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return folder


def build_object(project: Project, folder: Path, *words: str) -> Path:
    """Build the object as the README does."""
    path = folder / "program.o"
    done = project.cli("build", str(PROGRAM / "wordcount.mochi"), "-o", str(path), *words)
    assert done.status == 0, done.err
    return path


def link(compiler: str, embed: Path, library: Path) -> Path:
    """Build the host in C."""
    command = [compiler, *WARNINGS, "host.c", "program.o", str(library), "-o", "host"]
    subprocess.run(command, cwd=embed, check=True)
    return embed / "host"


def check_output(output: bytes) -> None:
    """The host speaks before and after the program."""
    first, *lines, last = output.decode().splitlines(keepends=True)
    assert first.startswith("host: ")
    assert first.endswith(" bytes of machine code and data\n")
    assert "".join(lines) == (PROGRAM / "expected.txt").read_text(encoding="utf-8")
    assert last == "host: the program has ended\n"


@pytest.mark.needs("gcc")
def test_host_in_c_runs_the_program(quick: Project, embed: Path) -> None:
    """With the library of the wheel."""
    build_object(quick, embed)
    host = link("gcc", embed, wheel_library())
    check_output(subprocess.check_output([host]))


@pytest.mark.needs("gcc")
def test_host_in_c_refuses_what_does_not_fit(quick: Project, embed: Path) -> None:
    """An artifact of other settings is an error of the host, which says what differs."""
    profile = "[engine.metered]\nconsume_fuel = true\n"
    quick.write({"mochi.toml": profile})
    build_object(quick, embed, "--engine", "metered")
    host = link("gcc", embed, wheel_library())
    done = subprocess.run([host], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "compiled with fuel support but it is not enabled" in done.stderr


def test_host_in_c_for_aarch64_runs_the_program(
    quick: Project, embed: Path, emulation: Emulation
) -> None:
    """Object, host and library are of the other machine; all are made on this one."""
    quick.environment["XDG_DATA_HOME"] = str(emulation.data)
    build_object(quick, embed, "--target", "aarch64-linux", "--toolchain", "system")
    host = link(COMPILER, embed, emulation.library)
    status, output, errors = emulation.run([host])
    assert (status, errors) == (0, b"")
    check_output(output)


@pytest.mark.needs("cargo")
def test_host_in_rust_runs_the_program(quick: Project, embed: Path) -> None:
    """With the crate of the version that the launcher has, and without its compiler."""
    build_object(quick, embed)
    shutil.copy(NATIVE / "Cargo.lock", embed / "rust")
    target = os.environ.get("CARGO_TARGET_DIR") or str(NATIVE / "target")
    environment = os.environ | {"CARGO_TARGET_DIR": target}
    command = ["cargo", "run", "--quiet", "-j2"]
    check_output(subprocess.check_output(command, cwd=embed / "rust", env=environment))
