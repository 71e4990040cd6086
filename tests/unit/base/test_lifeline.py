"""Children that end with their parent."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.lifeline import supervised

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes are passed on elsewhere only")

ROOT = str(Path(__file__).resolve().parents[3])
# Prints the process ids of what it started, and waits.
PARENT = """
import os, subprocess, sys, time
sys.path.insert(0, {root!r})
from mochi_rules.base.lifeline import supervised, tied
subprocess.Popen({command}, **tied(os.environ))
time.sleep(600)
"""
CHILD = f"""
import os, sys
sys.path.insert(0, {ROOT!r})
from mochi_rules.base.lifeline import end_with_parent
end_with_parent()
print(os.getpid(), flush=True)
while True: pass
"""
TOOL = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


@contextmanager
def parent(command: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start a process that starts another by an expression; give both, the second by its id."""
    script = PARENT.format(root=ROOT, command=command)
    with subprocess.Popen(
        (sys.executable, "-c", script), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


@pytest.mark.parametrize(
    "command",
    [repr((sys.executable, "-c", CHILD)), f"supervised({(sys.executable, '-c', TOOL)!r})"],
    ids=["worker that loops", "tool"],
)
def test_child_dies_with_its_parent(command: str) -> None:
    """Though nobody can clean up after a SIGKILL."""
    with parent(command) as (process, child):
        assert exists(child)
        process.kill()
        process.wait()
        assert ends(child)


def test_terminated_supervisor_ends_its_tool() -> None:
    """And its status is that of the tool when nobody ends it."""
    command = supervised((sys.executable, "-c", TOOL))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        tool = int(process.stdout.readline())
        process.terminate()
        assert ends(tool)
    assert subprocess.run(supervised(("sh", "-c", "exit 7")), check=False).returncode == 7
    assert subprocess.run(supervised(("sh", "-c", "kill $$")), check=False).returncode == 143


def exists(process: int) -> bool:
    """Return whether there is a process that has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ends(process: int) -> bool:
    """Return whether a process ends within 30 s."""
    end = time.monotonic() + 30
    while exists(process) and time.monotonic() < end:
        time.sleep(0.01)
    return not exists(process)
