"""Running the tools that judge objects."""

from __future__ import annotations

import shutil
import subprocess

import pytest

PAYLOAD = bytes(range(256)) * 20 + b"xy"

# Prints the size of what is between the symbols, a checksum that depends on the order, and what
# is left over of the address by the alignment.
CHECK_C = """
#include <stdint.h>
#include <stdio.h>
extern const unsigned char app_start[], app_end[];
int CHECK(void) {
    uint64_t sum = 0;
    for (const unsigned char *p = app_start; p != app_end; p++) sum = sum * 31 + *p;
    printf("%ld %llu ", (long)(app_end - app_start), (unsigned long long)sum);
    printf("%d\\n", (int)((uintptr_t)app_start % ALIGN));
    return 0;
}
"""


def expected_output(payload=PAYLOAD):
    """Return what CHECK_C prints of a payload at its alignment."""
    total = 0
    for byte in payload:
        total = (total * 31 + byte) % (1 << 64)
    return f"{len(payload)} {total} 0\n"


def tool(*names):
    """Return the path of the first tool that is installed, or skip the test, naming them."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"needs {' or '.join(names)}")
    return ""


def run(*command, cwd=None):
    """Run a command that must succeed without a word on stderr, and return its stdout."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
