"""Tests of `mochi-rules run --native` without a linker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from mochi_rules.cli import native_run


class Ended(subprocess.Popen):
    """A program that waits for a minute, in a process that is ended meanwhile."""

    def wait(self, timeout=None):
        """Send this process the signal while it waits for the first time."""
        if self.returncode is None:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().wait(timeout)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
def test_end_of_the_command_is_the_end_of_the_program() -> None:
    """No program is left behind by a signal that only the command gets."""
    with Ended([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        assert native_run._wait(process) == -signal.SIGTERM
