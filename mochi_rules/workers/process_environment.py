"""What a program that compiles sees of our environment, and running one in it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# What starting a program and a temporary file take, and nothing that a compiler could read.
# WASMTIME_BACKTRACE_DETAILS, for one, changes the artifact.
_PASSED_ON = (
    *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT"),
    *("TMPDIR", "TEMP", "TMP"),
)


def scrubbed_environment() -> dict[str, str]:
    """Return the variables for a process that makes artifacts."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}


def run_scrubbed(
    command: Sequence[str], directory: str | None = None, seconds: float | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program without input, in a directory, and return its status and output.

    Raises:
        OSError: It cannot be started.
        TimeoutExpired: It took longer than `seconds`, and was killed.
    """
    return subprocess.run(
        command,
        cwd=directory,
        env=scrubbed_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
