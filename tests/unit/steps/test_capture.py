"""Catching the output of a process, and stopping one that prints or takes too much."""

from __future__ import annotations

import select
import subprocess
import sys

from mochi_rules.steps.processes.capture import MAX_OUTPUT, Ran, communicate


def start(script: str) -> subprocess.Popen[bytes]:
    """Start a Python program."""
    pipe = subprocess.PIPE
    return subprocess.Popen((sys.executable, "-S", "-c", script), stdin=pipe, stdout=pipe,
                            stderr=pipe)  # fmt: skip


def test_streams_and_status_are_those_of_the_process() -> None:
    """Also when it reads nothing."""
    script = "import sys; sys.stderr.write('oh'); print(sys.stdin.read(2)); sys.exit(3)"
    assert communicate(start(script), b"ab" * 100_000, 60) == Ran(3, b"ab\n", b"oh")


def test_flood_is_cut_off_and_stopped() -> None:
    """What is kept has a limit, and a program beyond it is not left running."""
    process = start("while True: print('x' * 10000)")
    ran = communicate(process, b"", None)
    assert (ran.status, ran.is_flood, len(ran.stdout)) == (None, True, MAX_OUTPUT)
    assert process.returncode is not None


def test_process_is_stopped_when_its_time_is_up() -> None:
    """What it printed before is kept."""
    process = start("import time; print(1, flush=True); time.sleep(60)")
    select.select([process.stdout], [], [])
    ran = communicate(process, b"", 0)
    assert (ran.status, ran.stdout.strip()) == (None, b"1")
