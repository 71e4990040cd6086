"""Libraries for C: what it passes and gets, on every machine, and what ends the process."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .native_road import MACHINES, make_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .native_road import Machine

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
SHAPES = HERE.parent / "golden" / "exports" / "shapes.mochi"


@pytest.fixture(scope="module", params=list(MACHINES))
def machine(
    request: pytest.FixtureRequest, clif_worker: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """Give each platform that can be run here, with a C program that calls Mochi."""
    made = make_machine(request.param, clif_worker, tmp_path_factory.mktemp(request.param))
    made.library(SHAPES)
    flags = ["-Wall", "-Wextra", "-Werror", "-O2", "-static", "-I."]
    command = [made.compiler, *flags, HERE / "exports.c", "lib.a", "-lm", "-o", "exports"]
    subprocess.run(command, cwd=made.folder, check=True)
    yield made
    made.worker.close()


def _run(machine: Machine, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*machine.runner, machine.folder / "exports", *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True)


def test_c_calls_mochi(machine: Machine) -> None:
    """Numbers, strings, lists and structs arrive as they were passed, and results do."""
    ended = _run(machine)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "said\n", "")


def test_error_ends_the_process(machine: Machine) -> None:
    """With the message of a program, and its status."""
    ended = _run(machine, "index")
    assert ended.returncode == 1
    message = "error: list index out of range: 3 (len 3)\n  --> shapes.mochi:45\n"
    assert ended.stderr == message


def test_exhausted_stack_names_the_lines(machine: Machine) -> None:
    """The stack is that of Mochi, whatever the caller has."""
    ended = _run(machine, "deep")
    assert ended.returncode == 134
    first, frame, *_ = ended.stderr.splitlines()
    assert first == "error: `shapes`: call stack exhausted"
    assert frame.startswith("  at deep (shapes.mochi:4")


@pytest.mark.parametrize("flags", [("-pie", "exports.o"), ("-shared", "-Wl,--whole-archive")])
def test_library_may_be_loaded_anywhere(machine: Machine, flags: tuple[str, ...]) -> None:
    """The linker warns of nothing: no address in it is absolute where nobody may write."""
    compiling = [machine.compiler, "-c", "-fPIC", "-I.", HERE / "exports.c", "-o", "exports.o"]
    subprocess.run(compiling, cwd=machine.folder, check=True)
    linking = [machine.compiler, *flags, "lib.a", "-Wl,--no-whole-archive", "-Wl,--fatal-warnings"]
    subprocess.run([*linking, "-lm", "-o", "loaded"], cwd=machine.folder, check=True)
