"""Tests of the programs that a build runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mochi_rules.steps.processes.subprocesses import Subprocesses

if TYPE_CHECKING:
    from pathlib import Path


def test_program_started_after_the_end_ends(tmp_path: Path) -> None:
    """A signal may arrive while another thread is about to start one."""
    subprocesses = Subprocesses()
    subprocesses.close()
    ran = subprocesses.tool([sys.executable, "-c", "import time; time.sleep(100)"], tmp_path, {})
    assert ran.status != 0
