"""Native programs for Windows, under Wine: they do what those for Linux do."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .native_road import WINDOWS, make_machine, memory_test

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .native_road import Machine

pytestmark = pytest.mark.slow
GOLDEN = Path(__file__).parents[1] / "golden"
PROGRAMS = sorted((GOLDEN / "run").glob("*.mochi"))
FAILING = sorted((GOLDEN / "fail").glob("*.mochi"))
PLACES = "/usr/bin:/usr/lib/wine"  # of Wine; Debian's is in the second
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
PATIENCE = 200  # seconds, to make what Wine calls a prefix, with 700 MB


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """Give the command that starts programs, in a prefix that all processes of tests share."""
    command = shutil.which("wine64", path=PLACES)
    if command is None:
        pytest.skip("wine64 is missing")
    shared = tmp_path_factory.getbasetemp().parent
    prefix = shared / "wine"
    # It adds no menus, and fetches nothing.
    left_out = "WINEDLLOVERRIDES=winemenubuilder.exe,mscoree,mshtml="
    environment = ("env", f"WINEPREFIX={prefix}", "WINEDEBUG=-all", left_out)
    with (shared / "wine.use").open("w") as use:
        with (shared / "wine.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fcntl.flock(use, fcntl.LOCK_SH)
            if not prefix.exists():
                made = [*environment, command, "wineboot", "-i"]
                subprocess.run(made, check=True, timeout=PATIENCE, **SILENT)
        # Wine's services end with the last program, and have the streams of the first.
        shell = [*environment, command, "cmd"]
        with subprocess.Popen(shell, stdin=subprocess.PIPE, **SILENT) as first:
            yield (*environment, command)
            first.kill()
        with suppress(BlockingIOError):  # another process still needs it
            fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            server = Path(command).with_name("wineserver")
            subprocess.run([*environment, server, "-k"], check=False, timeout=PATIENCE, **SILENT)
            shutil.rmtree(prefix, ignore_errors=True)


@pytest.fixture(scope="session")
def windows(
    wine: tuple[str, ...], clif_worker: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """Give a machine with Windows."""
    made = make_machine(WINDOWS, clif_worker, tmp_path_factory.mktemp("windows"), wine=wine)
    yield made
    made.worker.close()


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_program_prints_its_golden(windows: Machine, path: Path) -> None:
    """Lines end as under Linux."""
    ended = windows.run_golden(path)
    assert ended.stderr == b""
    assert ended.stdout == path.with_suffix(".out").read_bytes()
    assert ended.returncode == 0


@pytest.mark.parametrize("path", FAILING, ids=lambda path: path.stem)
def test_failing_program_says_what_and_where(windows: Machine, path: Path) -> None:
    """The message names file and line; the status is 1."""
    ended = windows.run_golden(path)
    assert ended.stdout == path.with_suffix(".out").read_bytes()
    assert ended.stderr == path.with_suffix(".err").read_bytes()
    assert ended.returncode == 1


def test_exhausted_stack_names_the_lines(windows: Machine) -> None:
    """The page that guards the stack ends it, and what was printed is written."""
    source = 'fun deep(n: int): int {\n  return 1 + deep(n + 1)\n}\nprint("one")\nprint(deep(0))\n'
    ended = windows.run(windows.executable("deep.mochi", source))
    assert ended.stdout == b"one\n"
    first, frame, *_ = ended.stderr.decode().splitlines()
    assert first == "error: `program.exe`: call stack exhausted"
    assert frame == "  at deep (deep.mochi:2)"
    assert ended.returncode == 3


def test_program_sees_its_environment(windows: Machine) -> None:
    """A seed makes the clock repeat itself."""
    seeds = [{}, {"MOCHI_NOW_SEED": "7"}]
    times = windows.executable("a.mochi", "print(now())\n")
    found = [windows.run(times, env={**os.environ, **seed}).stdout for seed in (*seeds, seeds[1])]
    assert found[0] != found[1] == found[2]


def test_out_of_memory_is_an_error(windows: Machine) -> None:
    """Where 4 GiB are used up. The status is that of every trap."""
    source = "var xs = [1]\nwhile true {\n  xs = xs + xs\n}\n"
    ended = windows.run(windows.executable("a.mochi", source))
    message, _, frame = ended.stderr.splitlines()
    assert message == b"error: out of memory"
    assert frame == b"  at main (a.mochi:3)"
    assert ended.returncode == 3


def test_functions_of_memory_and_numbers_are_as_in_a_c_library(windows: Machine) -> None:
    """Programs have none."""
    assert windows.run(memory_test(windows)).returncode == 0
