"""What a program that compiles sees of our environment."""

from __future__ import annotations

import os

# What starting a program and a temporary file take, and nothing that a compiler could read.
# WASMTIME_BACKTRACE_DETAILS, for one, changes the artifact.
_PASSED_ON = (
    *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT"),
    *("TMPDIR", "TEMP", "TMP"),
)


def scrubbed_environment() -> dict[str, str]:
    """Return the variables for a process that makes artifacts."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
