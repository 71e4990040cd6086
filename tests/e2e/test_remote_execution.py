"""Builds whose steps run on a server, in sandboxes that hold nothing but what we send."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.servers import casd

from .project import HELLO
from .tools import install_worker

if TYPE_CHECKING:
    from pathlib import Path

    from .project import Project

pytestmark = pytest.mark.slow
TESTS = {
    "app/SConscript": 'mochi_test(name="good", srcs=["hello.mochi"], expected="good.txt")\n'
    'mochi_test(name="bad", srcs=["bad.mochi"])\n'
    'mochi_binary(name="stamped", srcs=["hello.mochi"], stamp=True)\n',
    "app/hello.mochi": 'print("hello")\n',
    "app/good.txt": "hello\n",
    "app/bad.mochi": "let list = [1]\nvar index = 3\nprint(list[index])\n",
}


def test_steps_run_there_as_here(project: Project, tmp_path: Path) -> None:
    """Programs are the same byte for byte, and tests end as they do here, with the same words."""
    project.write(TESTS)
    words = ("-k", "link=none", "version=1.4.0", "test", ".")
    (tmp_path / "server").mkdir()
    with casd(tmp_path / "server", jobs=2) as url:
        there = project.scons(*words, f"remote={url}", "executor=remote", "remote_require=yes")
    outputs = project.outputs()
    shutil.rmtree(project.root / "build")
    project.cache = tmp_path / "another machine"
    here = project.scons(*words)
    assert project.outputs() == outputs != {}
    assert (there.steps, there.err) == (here.steps, here.err)


@pytest.mark.needs("cc")
def test_tools_that_cargo_built_run_there(project: Project, native_tools: Path) -> None:
    """They go along as they are: for other platforms, and for programs without Wasmtime."""
    install_worker(native_tools)
    project.environment["XDG_DATA_HOME"] = str(native_tools)
    project.write(HELLO)
    (project.root / "server").mkdir()
    builds = {
        "aot-worker": ("target=aarch64-linux", "link=none"),
        "clif-worker": ("link=native",),
    }
    with casd(project.root / "server", jobs=2) as url:
        away = (f"remote={url}", "executor=remote", "remote_require=yes", "--trace=trace.json")
        for tool, words in builds.items():
            assert project.scons(*words, *away).status == 0
            assert f"execute {tool}" in (project.root / "trace.json").read_text()
    outputs = project.outputs()
    shutil.rmtree(project.root / "build")
    project.cache = project.root / "another machine"
    for words in builds.values():
        project.scons(*words)
    assert project.outputs() == outputs != {}
