"""Python in a process of its own, isolated: no site, no user's path, no PYTHON* variable."""

from __future__ import annotations

import sys
from pathlib import Path

# Where such a process finds this package.
IMPORT_ROOT = str(Path(__file__).resolve().parents[2])


def isolated(code: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs code with arguments."""
    return (sys.executable, "-I", "-S", "-c", code, *arguments)
