"""Builds whose steps run on a server, in sandboxes that hold nothing but what we send."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.servers import casd, emulating_runner

from .project import HELLO
from .tools import install_launcher, install_worker

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
FOR_ARM = """\
mochi_test(name="good", srcs=["hello.mochi"], expected="good.txt", platform="aarch64-linux")
mochi_test(name="bad", srcs=["bad.mochi"], platform="aarch64-linux")
"""


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


@pytest.mark.needs("qemu-aarch64-static")
def test_tests_of_a_platform_run_on_its_machines(project: Project, tmp_path: Path) -> None:
    """They are chosen by their properties, and tests end there as under qemu here."""
    install_worker(tmp_path / "tools")
    install_launcher(tmp_path / "tools", "aarch64-linux")
    project.environment["XDG_DATA_HOME"] = str(tmp_path / "tools")
    properties = '[remote.platform.aarch64-linux]\nArch = "arm64"\n'
    project.write({**TESTS, "app/SConscript": FOR_ARM, "mochi.toml": properties})
    (tmp_path / "server").mkdir()
    runner = emulating_runner(tmp_path)
    with casd(tmp_path / "server", 2, runner) as url:
        away = (f"remote={url}", "executor=test=remote", "remote_require=yes")
        there = project.scons("-k", "test", *away, "--trace=trace.json")
    tested = [target for verb, target, _ in there.steps if verb == "test"]
    assert tested == ["//app:good", "//app:bad"], there
    assert (project.root / "trace.json").read_text().count("execute test") == len(tested)
    shutil.rmtree(project.root / "build")
    project.cache = tmp_path / "another machine"
    here = project.scons("-k", "test")
    assert (there.steps, there.err) == (here.steps, here.err)
