"""Tests of stamped programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mochi_rules.platforms.platform import host_platform

from .project import HELLO
from .tools import install_made_up_launcher

if TYPE_CHECKING:
    from pathlib import Path

    from .project import Project

pytestmark = pytest.mark.slow

STAMPED = {
    "app/SConscript": 'mochi_binary(name="hello", srcs=["hello.mochi"], stamp=True)\n',
    "app/hello.mochi": 'print(build_info("version"))\n',
}
HOST = host_platform().name
FOLDER = f"build/{HOST}-release/app"


@pytest.fixture
def stamped(quick: Project, tmp_path: Path) -> Project:
    """Return a project with a stamped program, built as version 1.4.0."""
    install_made_up_launcher(tmp_path / "data", HOST)
    quick.environment["XDG_DATA_HOME"] = str(tmp_path / "data")
    quick.write({**HELLO, **STAMPED})
    assert quick.scons("version=1.4.0").status == 0
    return quick


def test_program_and_inspect_read_the_version(stamped: Project) -> None:
    """Of the artifact as of the executable."""
    assert stamped.cli("run", f"{FOLDER}/hello.stamped.cwasm").out == "1.4.0\n"
    assert "\n  version  1.4.0\n" in stamped.cli("inspect", f"{FOLDER}/hello").out


def test_another_version_runs_only_what_follows(stamped: Project) -> None:
    """The compiler, Cranelift and the checks have made nothing that depends on it."""
    done = stamped.scons("version=1.5.0")
    assert done.status == 0, done.err
    assert {verb for verb, _, _ in done.steps} == {"stamp", "object", "exe"}
    assert stamped.cli("run", f"{FOLDER}/hello.stamped.cwasm").out == "1.5.0\n"


@pytest.mark.needs("git")
def test_commit_of_changed_sources_says_so(stamped: Project) -> None:
    """A stamp names no commit that the program was not built from."""
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@x.org"]
    stamped.write({**HELLO, **STAMPED, ".gitignore": ""})
    for words in (["init", "-q"], ["add", "app"], ["commit", "-q", "-m", "x"]):
        assert stamped.run([*git, *words]).status == 0
    commit = stamped.run([*git, "rev-parse", "HEAD"]).out.strip()
    assert stamped.scons("version=1.4.0").status == 0
    assert f"commit   {commit}-dirty\n" in stamped.cli("inspect", f"{FOLDER}/hello").out


def test_wrong_version_is_refused(stamped: Project) -> None:
    """Before anything is built."""
    done = stamped.scons("version=new one")
    assert done.status == 2
    assert "error[R006]" in done.err


def test_release_of_another_version_is_refused(stamped: Project) -> None:
    """A program would give another version than its archive."""
    release = 'mochi_release(name="all", targets=[":hello"], version="2.0")\n'
    stamped.write({**STAMPED, "app/SConscript": STAMPED["app/SConscript"] + release})
    done = stamped.scons("release", "version=1.4.0", "allow_dirty=yes")
    assert done.status == 2
    assert "error[R039]" in done.err
    assert "scons release version=2.0" in done.err
