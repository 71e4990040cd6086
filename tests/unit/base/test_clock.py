"""Tests of the age of a process."""

from __future__ import annotations

import subprocess
import sys
import time

from mochi_rules.base.clock import process_age


def test_age_counts_from_the_start_of_the_process() -> None:
    """Time before the module was imported counts too."""
    before = time.monotonic()
    program = (
        "import time; time.sleep(0.2); from mochi_rules.base.clock import process_age;"
        "print(process_age())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert 0.2 <= float(done.stdout) <= time.monotonic() - before + 0.02
    assert process_age() > 0.2
