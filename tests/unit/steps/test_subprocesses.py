"""Tests of the programs that a build runs."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.steps.processes.capture import Ran
from mochi_rules.steps.processes.subprocesses import Executable, Subprocesses

if TYPE_CHECKING:
    from pathlib import Path


def test_program_started_after_the_end_ends(tmp_path: Path) -> None:
    """A signal may arrive while another thread is about to start one."""
    subprocesses = Subprocesses()
    subprocesses.close()
    ran = subprocesses.tool([sys.executable, "-c", "import time; time.sleep(100)"], tmp_path, {})
    assert ran.status != 0


SCRIPT = b"""#!/bin/sh
cat; cat runtime/beside data/file; ls -d out; echo "$@" ${HOME-no home}; exit 3
"""
EXECUTABLE = Executable(
    "aarch64-linux",
    {"program": SCRIPT, "beside": b"beside "},
    ["one", "two"],
    {"data/file": b"file\n"},
    ["data", "out"],
)
RAN = Ran(3, b"in beside file\nout\none two no home\n", b"")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_executable_runs_in_a_folder_of_its_own() -> None:
    """With its files, arguments and standard input, and no variables."""
    assert Subprocesses().execute(EXECUTABLE, tuple, b"in ", 30) == RAN


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_emulator_is_given_the_executable() -> None:
    """Before its arguments."""
    ran = Subprocesses().execute(EXECUTABLE, lambda: ("/bin/echo", "-n"), b"", 30)
    assert ran.stdout.endswith(b"/runtime/program one two")


class Elsewhere:
    """Runs everything."""

    def execute(self, *_: object) -> Ran:
        """Return how an executable ended."""
        return RAN


def test_executable_that_runs_away_needs_no_emulator() -> None:
    """None is looked for."""
    away: Any = Elsewhere()
    assert Subprocesses(away).execute(EXECUTABLE, lambda: pytest.fail("looked"), b"", 1) is RAN
