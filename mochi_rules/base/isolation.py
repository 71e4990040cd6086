"""Python in a process of its own, isolated: no site, no user's path, no PYTHON* variable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where such a process finds this package.
IMPORT_ROOT = str(Path(__file__).resolve().parents[2])


def isolated(code: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs code with arguments."""
    return (sys.executable, "-I", "-S", "-c", code, *arguments)


def isolated_main(module: str, *arguments: str, packages: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the command that calls `main` of a module of ours with arguments.

    `packages` are the directories where it finds packages besides ours.
    """
    path = [IMPORT_ROOT, *packages]
    return isolated(
        f"import sys; sys.path[:0] = {path!r}; from importlib import import_module;"
        f" import_module({module!r}).main(*sys.argv[1:])",
        *arguments,
    )
