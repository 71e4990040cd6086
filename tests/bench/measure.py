"""Times commands as whole processes, in turns, so that a noisy machine is equally noisy to all."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_Name = TypeVar("_Name")


@dataclass(frozen=True)
class Cost:
    """What a run of a command took: wall seconds, CPU seconds, peak memory in MiB."""

    wall: float
    cpu: float
    memory: float


def run_once(command: Sequence[str]) -> Cost:
    """Run a command to its end, its output thrown away.

    Python keeps byte code, as it does for users, whatever this process was told.
    """
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=variables
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with status {process.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def in_turns(commands: Mapping[_Name, Sequence[str]], rounds: int) -> dict[_Name, Cost]:
    """Run all commands in turns after one warm-up each; return medians by name."""
    found: dict[_Name, list[Cost]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            cost = run_once(command)
            if number:
                found[name].append(cost)
    return {
        name: Cost(
            statistics.median(cost.wall for cost in costs),
            statistics.median(cost.cpu for cost in costs),
            statistics.median(cost.memory for cost in costs),
        )
        for name, costs in found.items()
    }
