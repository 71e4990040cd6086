"""A build on a terminal that it shares with SCons, the user's build files and their tools."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pytest

from .project import scons_command

if TYPE_CHECKING:
    from .project import Project

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")

SCONSTRUCT = """\
import time
env = Environment(
    tools=["default", "mochi"], toolpath=[PyPackageDir("mochi_rules.rules.site_tools")]
)

def speak(target, source, env):
    print("a line of an action")

for name in ("before", "after"):
    mochi_binary(name=name, srcs=["hello.mochi"], main="hello.mochi")
for command in ("sleep 0.3; echo a line of a tool", speak):
    env.AlwaysBuild(env.Alias("tools", [], command))
"""


@pytest.mark.slow
def test_every_line_of_others_stands_alone(quick: Project) -> None:
    """Nothing that SCons, a tool or an action prints is glued to the live line."""
    quick.write({"SConstruct": SCONSTRUCT, "hello.mochi": 'print("hello")\n'})
    words = ("--color=never", "//:before", "tools", "//:after")
    lines = on_terminal(quick, [*scons_command(), *words])
    assert any(re.match(r"\[\d/8\] ", line) for line in lines)  # there was a live line
    for expected in (
        "sleep 0.3; echo a line of a tool",
        "a line of a tool",
        "a line of an action",
        "scons: done building targets.",
    ):
        assert expected in lines


def on_terminal(project: Project, command: list[str]) -> list[str]:
    """Run a command on a terminal of its own; return the lines, and what overwrote each other."""
    import pty  # absent on Windows

    process, terminal = pty.fork()
    if process == 0:
        os.chdir(project.root)
        os.execve(command[0], command, {**project.variables(), "TERM": "xterm"})  # noqa: S606
    output = bytearray()
    try:
        while data := os.read(terminal, 4096):
            output += data
    except OSError:  # Linux says so when the process has ended
        pass
    os.waitpid(process, 0)
    os.close(terminal)
    return re.split(r"\r\x1b\[K|\r\n", output.decode())
