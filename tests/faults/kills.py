"""Builds that are killed, run side by side or lose their cache: the next one is right."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.e2e.project import Project, scons_command
from tests.faults.building import build_all, difference, make_project
from tests.faults.harness import Wrong

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
WORDS: tuple[tuple[str, ...], ...] = ((), ("test",))  # build all, or run the tests
PATIENCE = 20  # seconds that the children of a killed build have to end
EVICT = """\
import sys; from pathlib import Path; from mochi_rules.cache.cache import Cache
from mochi_rules.cache.limits import Limits
while True: Cache(Path(sys.argv[1]), limits=Limits(0)).gc()
"""


def start(project: Project, *words: str) -> subprocess.Popen[bytes]:
    """Start scons in a process group of its own."""
    return subprocess.Popen(
        [*scons_command(), "-Q", *words], cwd=project.root, env=project.variables(),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip


class Cases:
    """The right outputs, how long they take, and the cases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "case"
        began = time.monotonic()
        self._outputs = build_all(make_project(folder / "right", folder / "cache"))
        self._seconds = time.monotonic() - began

    def run(self, chance: random.Random) -> str:
        """Do something to one build or two at once, and build again."""
        shutil.rmtree(self._folder, ignore_errors=True)
        cache = self._folder / "cache"
        projects = [make_project(self._folder / name, cache) for name in ("one", "two")]
        case = chance.choice((self._kill, self._kill, self._evict))
        end = case(projects[: chance.randrange(1, 3)], chance)
        for project in projects:
            if names := difference(build_all(project), self._outputs):
                raise Wrong(f"{end}: the next build makes other bytes: {names}")
            if drafts := [path.name for path in project.root.rglob(".[abc].*")]:
                raise Wrong(f"{end}: left behind: {drafts}")
        return end

    def _kill(self, projects: list[Project], chance: random.Random) -> str:
        """Kill a build, with its children or alone; another that runs beside it must go on."""
        words = chance.choice(WORDS)
        running = [start(project, "-j2", *words) for project in projects]
        number, is_alone = chance.choice(SIGNALS), chance.random() < 0.5
        time.sleep(chance.random() * self._seconds * len(projects))
        victim, others = running[0], running[1:]
        with suppress(ProcessLookupError):
            (os.kill if is_alone else os.killpg)(victim.pid, number)
        check_output(victim, is_killed=True)
        for other in others:
            check_output(other, is_killed=False)
        await_end(victim.pid)
        return f"{number.name}-{'alone' if is_alone else 'group'}"

    def _evict(self, projects: list[Project], chance: random.Random) -> str:
        """Evict everything all the time while builds run."""
        words = chance.choice(WORDS)
        cache = str(projects[0].cache / "mochi_rules")
        evicting = subprocess.Popen([sys.executable, "-c", EVICT, cache])
        try:
            for running in [start(project, "-j2", *words) for project in projects]:
                check_output(running, is_killed=False)
        finally:
            evicting.kill()
            evicting.wait()
        return "evicted"


def check_output(running: subprocess.Popen[bytes], *, is_killed: bool) -> None:
    """Wait for a build: no traceback, no damage reported, and success unless it was killed."""
    output = running.communicate()[0].decode("utf-8", "replace")
    # Until SCons handles Ctrl-C, the interpreter does: while it loads SCons, none of our code runs.
    is_traceback = "Traceback" in output and (not is_killed or f"mochi_rules{os.sep}" in output)
    if is_traceback or "X001" in output or "K006" in output:
        raise Wrong(f"it writes {output[-350:]}")
    if running.returncode and not is_killed:
        raise Wrong(f"status {running.returncode}: {output[-350:]}")


def await_end(group: int) -> None:
    """Wait until a process group has ended."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise Wrong("a killed build has left processes running")


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what kills and races."""
    return Cases(folder).run
