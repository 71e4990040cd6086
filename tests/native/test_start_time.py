"""How soon an executable speaks, against a C program that says the same."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.needs import need

from .building import Programs, program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

HELLO_C = '#include <stdio.h>\nint main(void) { puts("hello, world"); }\n'
HELLO = "(call $print (i32.const 8) (i32.const 13))"
TEXT = '(data (i32.const 8) "hello, world\\n")'
RUNS = 200


def first_byte_seconds(path: Path) -> float:
    """Return the time from starting a program to its first byte of output."""
    reader, writer = os.pipe()
    start = time.perf_counter()
    redirect = [(os.POSIX_SPAWN_DUP2, writer, 1)]
    child = os.posix_spawn(path, [path], os.environ, file_actions=redirect)
    os.close(writer)
    assert os.read(reader, 1) == b"h"
    seconds = time.perf_counter() - start
    os.close(reader)
    os.waitpid(child, 0)
    return seconds


def test_start_takes_at_most_three_times_that_of_c(programs: Programs, tmp_path: Path) -> None:
    """The best of many runs, taken in turn so that both see the same machine."""
    need("gcc")
    source = tmp_path / "hello.c"
    source.write_text(HELLO_C, encoding="utf-8")
    subprocess.run(["gcc", "-O2", source, "-o", tmp_path / "c"], check=True)
    ours = programs.build(program(HELLO, top=TEXT))
    pairs = [(first_byte_seconds(ours), first_byte_seconds(tmp_path / "c")) for _ in range(RUNS)]
    assert min(pair[0] for pair in pairs) <= 3 * min(pair[1] for pair in pairs)
