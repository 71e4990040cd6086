"""The command lines of our own processes, word for word.

They see no variable PYTHON*, no directory of the user and no site-packages but Wasmtime's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mochi_rules
from mochi_rules.base.lifeline import supervised
from mochi_rules.steps.engines.engines import compiler_command
from mochi_rules.steps.processes import subprocesses

PACKAGE = str(Path(mochi_rules.__file__).parents[1])
ISOLATED = (sys.executable, "-I", "-S", "-c")


def test_compiler_finds_this_package_alone() -> None:
    """It needs no Wasmtime."""
    command = compiler_command()
    assert command[:4] == ISOLATED
    assert command[4:] == (script("mochi_rules.steps.engines.compiler_worker", [PACKAGE]),)


def test_process_of_a_test_gets_its_request_as_an_argument() -> None:
    """So its input is the program's."""
    *start, bootstrap, request = subprocesses._command({"folder": "/tmp/x"})
    assert tuple(start) == ISOLATED
    assert "from mochi_rules.steps.processes.subprocesses import main" in bootstrap
    assert json.loads(request) == {"folder": "/tmp/x"}


def test_tools_run_under_a_supervisor() -> None:
    """It ends whatever they start; their own words stay as they are."""
    command = supervised(("cc", "-O2", "a b.c"))
    assert command[:4] == ISOLATED
    assert command[5:] == (PACKAGE, "cc", "-O2", "a b.c")


def script(module: str, path: list[str]) -> str:
    """Return what such a process runs: `main` of a module, found where packages may be."""
    return (
        f"import sys; sys.path[:0] = {path!r}; from importlib import import_module;"
        f" import_module({module!r}).main(*sys.argv[1:])"
    )
