"""Tests of builds that have nothing to do: they end before build files are read, if that is safe.

The build file of these projects leaves a trace of being read that no manifest knows of.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from mochi_rules.platforms.platform import host_platform

from .project import HELLO, Project

if TYPE_CHECKING:
    from collections.abc import Callable

    from .project import Done

CONFIGURATION = f"{host_platform().name}-release"
TRACE = "import os\nos.utime('../../trace')\n"
FILES = {**HELLO, "app/SConscript": TRACE + HELLO["app/SConscript"]}
UP_TO_DATE = "built 0 of 4 · 4 up to date · 0 failed"


def build(project: Project, *words: str) -> tuple[Done, bool]:
    """Build; return also whether build files were read."""
    trace = project.root.parent / "trace"
    trace.touch()
    os.utime(trace, (0, 0))
    done = project.scons(*words)
    return done, trace.stat().st_mtime != 0


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project that tests change one after the other."""
    root = tmp_path_factory.mktemp("unchanged") / "project"
    root.mkdir()
    project = Project(root, root.parent / "cache")
    project.write(FILES)
    return project


@pytest.fixture
def settled(shared: Project) -> Project:
    """Return the project in a state of which there is a manifest."""
    shared.environment.clear()
    shared.write(FILES)
    (shared.root / "app/new.mochi").unlink(missing_ok=True)
    build(shared)  # its sources are older than the next build
    build(shared)
    return shared


def test_build_without_changes_reads_no_build_file(settled: Project) -> None:
    """The second build has left a manifest, and says what it would say with walking."""
    done, was_read = build(settled)
    assert not was_read
    assert done.summary == UP_TO_DATE
    assert done.out.splitlines()[0] == "scons: `.' is up to date."


def test_explain_knows_of_a_build_that_read_nothing(settled: Project) -> None:
    """What it found up to date is up to date, though the build before has made it."""
    build(settled)
    assert "app/hello.wasm: up to date" in settled.scons("explain").out


CHANGES: dict[str, Callable[[Project], object]] = {
    "source": lambda project: project.write({"app/hello.mochi": 'print("hallo")\n'}),
    "same size, old time": lambda project: (
        project.write({"app/hello.mochi": 'print("hallo")\n'}),
        os.utime(project.root / "app/hello.mochi", (0, 0)),
    ),
    "new file": lambda project: project.write({"app/new.mochi": ""}),
    "build file": lambda project: project.write({"app/SConscript": f"{FILES['app/SConscript']}\n"}),
    "settings": lambda project: project.write({"mochi.toml": ""}),
    "output removed": lambda project: (
        project.root / f"build/{CONFIGURATION}/app/hello.o"
    ).unlink(),
    "output damaged": lambda project: project.write(
        {f"build/{CONFIGURATION}/app/hello.wasm": b"\0asm"}
    ),
    "environment": lambda project: project.environment.update(SOMETHING="else"),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_change_makes_scons_decide(settled: Project, change: str) -> None:
    """Whatever a build may depend on is looked at."""
    CHANGES[change](settled)
    _, was_read = build(settled)
    assert was_read


DOUBTS = {
    "a program runs": "import subprocess\nsubprocess.run(['true'])\n",
    "the clock": "import time\n",
    "something is printed": "print('reading')\n",
    "a file is written": "open('../made', 'w').close()\n",
    "a target is always built": "AlwaysBuild(Alias('always'))\nDefault('always', '.')\n",
    "a value": "Command('copy', Value('v'), Copy('$TARGET', 'hello.mochi'))\nDefault('.')\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("doubt", DOUBTS)
def test_doubt_leaves_no_manifest(shared: Project, doubt: str) -> None:
    """What a build file does there may have another result next time."""
    shared.write({**FILES, "app/SConscript": FILES["app/SConscript"] + DOUBTS[doubt]})
    for _ in range(3):
        _, was_read = build(shared)
    assert was_read


@pytest.mark.slow
@pytest.mark.parametrize("words", [("-n",), ("-c",), ("--tree=all",), ("--debug=explain",)])
def test_option_makes_scons_decide(settled: Project, words: tuple[str, ...]) -> None:
    """Options that ask for more than a build get it."""
    _, was_read = build(settled, *words)
    assert was_read


def test_failed_build_is_not_remembered(settled: Project) -> None:
    """A build that failed after one that did not is not a proof."""
    settled.write({"app/hello.mochi": 'print("hello" - 1)\n'})
    assert build(settled)[0].status
    done, was_read = build(settled)
    assert was_read
    assert done.status


@pytest.mark.slow
def test_damaged_manifest_makes_scons_decide(settled: Project) -> None:
    """A manifest is optional: what cannot be read does not hold."""
    for path in (settled.root / "build/.mochi").glob("up-to-date-*"):
        path.write_bytes(path.read_bytes()[:-9])
    done, was_read = build(settled)
    assert was_read
    assert done.summary == UP_TO_DATE


@pytest.mark.slow
def test_source_newer_than_the_build_leaves_no_manifest(settled: Project) -> None:
    """Of a source that changes while a build runs, nobody knows which state was built."""
    future = time.time() + 60
    os.utime(settled.root / "app/hello.mochi", (future, future))
    for _ in range(2):
        _, was_read = build(settled)
    assert was_read
