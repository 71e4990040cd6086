"""Tools that not every machine has."""

from __future__ import annotations

import shutil

import pytest


def need(*tools: str) -> None:
    """Skip the test where a tool is missing, with its name. As a marker: `needs("gcc")`."""
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is missing")


def open_terminal() -> tuple[int, int]:
    """Open a terminal: our end, and that of a program; skip the test where there is none."""
    pty = pytest.importorskip("pty", reason="this system has no terminals")
    try:
        return pty.openpty()
    except OSError:
        pytest.skip("/dev/pts is missing")
