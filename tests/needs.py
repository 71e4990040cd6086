"""Tools that not every machine has."""

from __future__ import annotations

import shutil

import pytest


def need(*tools: str) -> None:
    """Skip the test where a tool is missing, with its name. As a marker: `needs("gcc")`."""
    for tool in tools:
        if not shutil.which(tool):
            pytest.skip(f"{tool} is missing")
