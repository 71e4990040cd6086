"""Tests of libraries for C, as the example builds them and as SCons does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .project import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from .project import Project

pytestmark = [pytest.mark.slow, pytest.mark.needs("cc")]
EXAMPLE = REPOSITORY / "examples" / "library"
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
WHOLE = ["-Wl,--whole-archive", "libstats.a", "-Wl,--no-whole-archive", "-lm"]
OUTPUT = """\
mean: 1.91667
total: 3
total: 7
total: 12
{}: 3 values from 0.25 to 4, 1.9166666666666667 on average
2 is inside
"""
SCONSTRUCT = """\
env = Environment(tools=["mochi"], toolpath=[PyPackageDir("mochi_rules.rules.site_tools")])
stats = env.mochi_c_library(name="stats", srcs=["stats.mochi"])
c = Environment(CPPPATH=[stats[0].dir], LIBS=["m"])
c.Program("main", ["main.c", stats])
"""


@pytest.fixture
def example(quick: Project, native_tools: Path) -> Project:
    """Return a project with the files of the example, which can be written there."""
    quick.environment["XDG_DATA_HOME"] = str(native_tools)
    for path in EXAMPLE.iterdir():
        shutil.copyfile(path, quick.root / path.name)
    return quick


def _run(example: Project, *command: object) -> str:
    return subprocess.check_output(list(map(str, command)), cwd=example.root, text=True)


def test_example_runs_as_its_readme_says(example: Project) -> None:
    """In C, from a static library, and in Python, from a shared one."""
    done = example.cli("build", "stats.mochi", "--emit", "lib")
    assert done.status == 0, done.err
    _run(example, "cc", *WARNINGS, "main.c", "libstats.a", "-lm", "-o", "main")
    assert _run(example, "./main") == OUTPUT.format("C")
    _run(example, "cc", "-shared", "-o", "libstats.so", *WHOLE)
    assert _run(example, sys.executable, "main.py") == OUTPUT.format("Python")


def test_scons_links_the_library(example: Project) -> None:
    """A program of C is made again when the Mochi source of its library changes."""
    example.write({"SConstruct": SCONSTRUCT})
    done = example.scons()
    assert done.status == 0, done.err
    assert _run(example, "./main") == OUTPUT.format("C")
    assert example.scons().steps == []
    source = (example.root / "stats.mochi").read_text("utf-8")
    example.write({"SConstruct": SCONSTRUCT, "stats.mochi": source.replace(" values from", ",")})
    assert example.scons().status == 0
    assert "C: 3, 0.25 to 4" in _run(example, "./main")


def test_error_ends_the_caller(example: Project) -> None:
    """With the message and the status of a program in Mochi, and what was printed before."""
    example.write(
        {
            "fail.mochi": 'print("top")\nexport fun half(n: int): int { return n / (n % 2) }\n',
            "fail.c": '#include "fail.h"\nint main(void) { return (int)fail_half(4); }\n',
        }
    )
    assert example.cli("build", "fail.mochi", "--emit", "lib").status == 0
    _run(example, "cc", "fail.c", "libfail.a", "-lm", "-o", "fail")
    command = [example.root / "fail"]
    ended = subprocess.run(command, capture_output=True, check=False, text=True)
    message = "error: division by zero\n  --> fail.mochi:2\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "top\n", message)


def test_limit_is_refused(example: Project) -> None:
    """Whoever calls the library would enforce none; also where the environment sets it."""
    limited = (
        'env.Clone(MOCHI_ENGINE={"fuel": 9}).mochi_c_library(name="stats", srcs=["stats.mochi"])'
    )
    example.write({"SConstruct": "\n".join([SCONSTRUCT.splitlines()[0], limited])})
    done = example.scons()
    assert done.status == 2
    assert "error[A120]: a library for C has no `fuel`" in done.err


def test_function_without_a_form_in_c_is_refused(example: Project) -> None:
    """Nothing is written."""
    example.write({"maps.mochi": "export fun table(): map<string, int> { return {} }\n"})
    done = example.cli("build", "maps.mochi", "--emit", "lib")
    assert done.status == 2
    assert "error[T094]: the result, of type `map<string, int>`, has no form in C" in done.err
    assert not list(example.root.glob("*maps.[ah]"))
