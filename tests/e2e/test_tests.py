"""`mochi_test`: which tests run, what they are given, and what a failure says."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .project import scons_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from .project import Project

WRONG = "fun at(n: int): int {\n  let items = [1]\n  return items[n]\n}\nprint(at(5))\n"

# Prints the file `a.txt` of the first directory; status 9 when it cannot be opened.
CAT = """\
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "a.txt")
  (func (export "_start")
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 0)
          (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16))
      (then (call $exit (i32.const 9))))
    (i32.store (i32.const 32) (i32.const 100))
    (i32.store (i32.const 36) (i32.const 1000))
    (drop (call $read (i32.load (i32.const 16)) (i32.const 32) (i32.const 1) (i32.const 20)))
    (i32.store (i32.const 36) (i32.load (i32.const 20)))
    (drop (call $write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 24)))))
"""


@pytest.mark.slow
def test_failing_test_stops_no_other(quick: Project) -> None:
    """All selected tests run, the failures are summed up, and what depends on one is not made."""
    quick.write({
        "app/SConscript": (
            'mochi_test(name="a_test", srcs=["wrong.mochi"])\n'
            'mochi_test(name="b_test", srcs=["right.mochi"])\n'
            'mochi_test(name="c_test", srcs=["wrong.mochi"])\n'
            'env = DefaultEnvironment()\n'
            'env.Depends(env.Alias("deploy", [], Touch("deployed")), "//app:a_test")\n'
        ),
        "app/right.mochi": 'print("right")\n',
        "app/wrong.mochi": WRONG,
    })  # fmt: skip
    done = quick.scons("test", "deploy")
    assert done.status == 2
    assert [target for verb, target, remark in done.steps if verb == "test"] == [
        "//app:a_test", "//app:b_test", "//app:c_test",
    ]  # fmt: skip
    assert "\nfailed: //app:a_test\nfailed: //app:c_test\nbuilt " in done.out
    assert done.summary.endswith("2 of 3 tests failed")
    assert not (quick.root / "deployed").exists()


@pytest.mark.slow
def test_trap_of_a_test_shows_lines(quick: Project) -> None:
    """As the executable does, and in `mochi-rules test` too."""
    deep = "fun deep(n: int): int {\n  return 1 + deep(n + 1)\n}\nprint(deep(0))\n"
    quick.write({
        "app/SConscript": 'mochi_test(name="a_test", srcs=["deep.mochi"])\n',
        "app/deep.mochi": deep,
    })  # fmt: skip
    assert "at app/deep.mochi:2" in quick.scons("test").err
    assert "at app/deep.mochi:2" in quick.cli("test", "app/deep.mochi").err


@pytest.mark.slow
def test_missing_input_of_a_test_is_a_diagnostic(quick: Project) -> None:
    """With the place of the attribute; the other tests run."""
    quick.write({
        "app/SConscript": (
            'mochi_test(name="a_test", srcs=["a.mochi"], expected="a.txt")\n'
            'mochi_test(name="b_test", srcs=["a.mochi"])\n'
        ),
        "app/a.mochi": "print(1)\n",
    })  # fmt: skip
    done = quick.scons("test")
    assert done.status == 2
    assert "error[B010]: cannot read `app/a.txt`: no such file or directory" in done.err
    assert "--> app/SConscript:1:45" in done.err
    assert "//app:b_test" in {target for _, target, _ in done.steps}


@pytest.mark.slow
def test_program_has_its_directories_when_it_is_tested(quick: Project) -> None:
    """Their content is part of the key: a change runs the test again."""
    quick.write({
        "app/SConscript": (
            'wasm_import(name="cat", src="cat.wat", dirs=["data"])\n'
            'mochi_test(name="cat_test", program=":cat", expected="cat.txt")\n'
        ),
        "app/cat.wat": CAT,
        "app/cat.txt": "content\n",
        "app/data/a.txt": "content\n",
    })  # fmt: skip
    assert quick.scons("test").status == 0
    assert quick.scons("test").steps == [("test", "//app:cat_test", "passed (cached)")]
    quick.write({"app/data/a.txt": "other content\n"})
    assert "+other content" in quick.scons("test").err


@pytest.mark.slow
def test_edit_of_a_block_runs_its_shard(quick: Project) -> None:
    """The others are programs that have not changed."""
    text = 'test "one" { expect 1 == 1 }\ntest "two" { expect 2 == 2 }\n'
    quick.write({
        "app/SConscript": 'mochi_test(name="all", srcs=["all.mochi"], shards=2)\n',
        "app/all.mochi": text,
    })  # fmt: skip
    quick.scons("test")
    quick.write({"app/all.mochi": text.replace("2 == 2", "3 == 4")})
    ran = [step for step in quick.scons("-k", "//app:all").steps if step[0] == "test"]
    assert ran == [("test", "//app:all.1", "passed (cached)"), ("test", "//app:all.2", "failed")]
    assert quick.scons("//app:all.1").status == 0


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells the children")
def test_looping_test_dies_with_scons(quick: Project) -> None:
    """Also when SCons is killed, and can end nothing itself."""
    quick.write({
        "app/SConscript": 'mochi_test(name="a_test", srcs=["a.mochi"], timeout=3600)\n',
        "app/a.mochi": "while true {}\n",
    })  # fmt: skip
    command = [*scons_command(), "test"]
    null = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=quick.root, env=quick.variables(), stdout=null) as scons:
        wait_for(lambda: running_tests(quick))
        scons.kill()
    wait_for(lambda: not running_tests(quick))


def running_tests(project: Project) -> list[str]:
    """Return the processes that run tests with the cache of a project."""
    mark = f"XDG_CACHE_HOME={project.cache}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"steps.processes.subprocesses" in (process / "cmdline").read_bytes():
                found += [process.name] * (mark in (process / "environ").read_bytes())
    return found


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until a condition holds, at most a minute."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
