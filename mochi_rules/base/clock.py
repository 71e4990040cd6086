"""When this process began: what its user has waited since."""

from __future__ import annotations

import os
import time
from functools import cache

_IMPORTED = time.time_ns()
_START_FIELD = 22 - 3  # of /proc/self/stat, behind the name of the program (proc(5))


@cache
def process_start() -> int:
    """Return the time at which the process began, in nanoseconds since 1970.

    To 10 ms on Linux; elsewhere it is when the first module asked for it.
    """
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b")")[2].split()[_START_FIELD])
        since_boot = ticks * 10**9 // os.sysconf("SC_CLK_TCK")
        boot = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    except (OSError, ValueError, IndexError, AttributeError):
        return _IMPORTED
    return boot + since_boot


def process_age() -> float:
    """Return for how many seconds the process has run."""
    return (time.time_ns() - process_start()) / 10**9
