"""Builds whose steps run on a server, in sandboxes that hold nothing but what we send."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.servers import casd

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
