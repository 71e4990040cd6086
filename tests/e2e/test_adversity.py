"""Tests of builds that are interrupted, that run side by side, and that meet a damaged cache."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest

from .project import HELLO, SCONSTRUCT, Done, Project, scons_command

pytestmark = pytest.mark.slow

COUNT = 24
MANY = {
    "app/SConscript": "".join(
        f'mochi_binary(name="p{i}", srcs=["p{i}.mochi"])\n' for i in range(COUNT)
    ),
    **{f"app/p{i}.mochi": f"print({i} * {i})\n" for i in range(COUNT)},
}


def start(project: Project, *words: str) -> subprocess.Popen[str]:
    """Start scons as the leader of a process group of its own."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [*scons_command(), "-Q", *words],
        cwd=project.root, env=project.variables(), stdout=pipe, stderr=pipe, text=True,
        start_new_session=True,
    )  # fmt: skip


def members(group: int) -> list[str]:
    """Return the commands of the processes in a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().rpartition(")")
            state, _, its_group = rest.split()[:3]
        except (OSError, ValueError):
            continue
        if its_group == str(group) and state != "Z":
            found.append(name)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_build_leaves_nothing_half_done(project: Project, number: int) -> None:
    """No child lives on, no file is half written, and the next build goes on from there."""
    project.write(MANY)
    running = start(project, "-j2")
    assert running.stdout is not None
    running.stdout.readline()
    if number == signal.SIGINT:
        os.killpg(running.pid, number)  # as a terminal does
    else:
        running.send_signal(number)
    _, errors = running.communicate(timeout=30)
    assert running.returncode != 0
    assert "Traceback" not in errors
    deadline = time.monotonic() + 5
    while members(running.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert members(running.pid) == []
    assert not [path for path in project.root.rglob(".*") if path.name.startswith(".p")]

    assert project.scons().status == 0
    other = Project(project.root.parent / "other", project.root.parent / "clean")
    other.root.mkdir()
    other.write(MANY)
    other.scons("-j2")
    assert project.outputs() == other.outputs()


@pytest.mark.slow
def test_interrupted_tests_have_not_failed(project: Project) -> None:
    """They are counted apart, and nothing is reported about them."""
    project.write({
        "app/SConscript": 'mochi_test(name="t", srcs=["t.mochi"], timeout=600)\n',
        "app/t.mochi": "var x = 1\nwhile true { x = x + 1 }\n",
    })  # fmt: skip
    running = start(project, "test")
    assert running.stdout is not None
    lines = [running.stdout.readline() for _ in range(3)]  # until it is checked
    assert " check " in lines[-1]
    time.sleep(0.5)
    os.killpg(running.pid, signal.SIGINT)
    out, errors = running.communicate(timeout=30)
    assert out.splitlines()[0].split() == ["[4/4]", "test", "//app:t", "interrupted"]
    assert " · 1 interrupted · 0 failed\n" in out
    assert "error[" not in errors


def test_interrupt_of_a_closing_build_is_silent(project: Project) -> None:
    """Ctrl-C while workers end and counters are written: the process ends, without a traceback."""
    interrupt = "import atexit, os, signal\natexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
    project.write({**HELLO, "SConstruct": interrupt + SCONSTRUCT})
    done = project.scons()
    assert (done.status, done.err) == (-signal.SIGINT, "")


def test_closed_terminal_ends_everything(project: Project) -> None:
    """Also what never ends by itself; a write to the terminal that is gone does not hang SCons."""
    rules = "".join(
        f'mochi_test(name="t{i}", srcs=["t{i}.mochi"], timeout=600)\n' for i in range(3)
    )
    loop = "var x = {}\nwhile true {{ x = x + 1 }}\n"
    project.write({"app/SConscript": rules} | {f"app/t{i}.mochi": loop.format(i) for i in range(3)})
    leader, follower = pty.openpty()
    running = subprocess.Popen(
        [*scons_command(), "-j2", "test", "--ui=plain"],
        cwd=project.root, env=project.variables(), stdin=follower, stdout=follower, stderr=follower,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
    )  # fmt: skip
    os.close(follower)
    written = b""
    while b"check  app/t1" not in written:
        written += os.read(leader, 4096)
    deadline = time.monotonic() + 30
    while len(members(running.pid)) < 3 and time.monotonic() < deadline:  # scons and two tests
        time.sleep(0.05)
    os.close(leader)
    assert running.wait(30) != 0
    while members(running.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert members(running.pid) == []


def test_two_builds_at_once_share_the_work(project: Project) -> None:
    """Each step is done once, by one of them; both have everything, and it is the same."""
    other = Project(project.root.parent / "other", project.cache)
    other.root.mkdir()
    for each in (project, other):
        each.write(MANY)
    running = [start(each, "-j1") for each in (project, other)]
    done = [Done(item.wait(), *item.communicate(timeout=120)) for item in running]
    assert [item.status for item in done] == [0, 0]
    assert project.outputs() == other.outputs()
    built = [int(item.summary.split()[1]) for item in done]
    assert sum(built) == 4 * COUNT


def test_damaged_cache_costs_time_and_nothing_else(project: Project) -> None:
    """Every blob is cut short: the build says so, makes everything anew, and repairs the cache."""
    project.write(HELLO)
    project.scons()
    outputs = project.outputs()
    for path in project.cache.rglob("cas/*/*"):
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-1])
    project.run(["rm", "-rf", "build"])
    done = project.scons()
    assert done.status == 0
    assert "warning[K" in done.err
    assert project.outputs() == outputs
    project.run(["rm", "-rf", "build"])
    assert "built 0 of 4 · 4 cached" in project.scons().summary


def on_a_terminal(project: Project, *words: str) -> str:
    """Run scons on a terminal, and return what it wrote there."""
    leader, follower = pty.openpty()
    environment = project.variables() | {"TERM": "xterm"}
    running = subprocess.Popen(
        [*scons_command(), "-Q", *words],
        cwd=project.root, env=environment, stdout=follower, stderr=follower, close_fds=True,
    )  # fmt: skip
    os.close(follower)
    written = b""
    while True:
        try:
            chunk = os.read(leader, 4096)
        except OSError:  # the other side is closed
            break
        written += chunk
    os.close(leader)
    assert running.wait() == 0
    return written.decode()


def test_terminal_has_one_live_line(project: Project) -> None:
    """It is overwritten by each step, and gone at the end; the closing line stays."""
    project.write(MANY)
    written = on_a_terminal(project)
    assert "\r\x1b[K" in written
    lines = [line.split("\r\x1b[K")[-1] for line in written.split("\r\n")]
    shown = [line for line in lines if line]
    assert len(shown) <= 2
    assert f"built {4 * COUNT} of {4 * COUNT}" in shown[-1]


def test_terminal_has_color_unless_it_is_unwanted(project: Project) -> None:
    """Colors follow `NO_COLOR`."""
    project.write(HELLO)
    assert "\x1b[1m" in on_a_terminal(project)
    project.environment["NO_COLOR"] = "1"
    assert "\x1b[1m" not in on_a_terminal(project)
