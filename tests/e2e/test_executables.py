"""Tests of executables as their users meet them."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from mochi_rules.platforms.platform import host_platform

from .tools import install_launcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .project import Project

pytestmark = pytest.mark.slow

BUILD = f"build/{host_platform().name}-release"
LOOP = "var i = 0\nwhile true { i = i + 1 }\n"


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with this platform's launcher."""
    data = tmp_path_factory.mktemp("data")
    install_launcher(data, host_platform().name)
    return data


@pytest.fixture
def installed(quick: Project, tools: Path) -> Project:
    """Return an empty project that has a launcher."""
    quick.environment["XDG_DATA_HOME"] = str(tools)
    return quick


@pytest.fixture
def start(installed: Project) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Build one program, and run its executable in the folder of the project."""

    def start(
        source: str, attributes: str = "", toml: str = "", **options: str
    ) -> subprocess.CompletedProcess[str]:
        call = f'mochi_binary(name="a", srcs=["a.mochi"]{attributes})\n'
        files = {"app/SConscript": call, "app/a.mochi": source}
        installed.write(files | ({"mochi.toml": toml} if toml else {}))
        done = installed.scons()
        assert done.status == 0, done.err
        program = [installed.root / BUILD / "app/a"]
        return subprocess.run(
            program, cwd=installed.root, capture_output=True, text=True, check=False, **options
        )

    return start


def test_executable_is_one_file_that_needs_nothing(installed: Project) -> None:
    """It runs where nothing of ours is, under any name, and is small."""
    installed.write({"a/SConscript": 'mochi_binary(name="a", srcs=["a.mochi"])\n',
                     "a/a.mochi": 'print("hi")\n'})  # fmt: skip
    installed.scons()
    built = installed.root / BUILD / "a/a"
    alone = installed.root / "elsewhere" / "other name"
    alone.parent.mkdir()
    shutil.copy(built, alone)
    assert subprocess.check_output([alone], env={}) == b"hi\n"
    assert built.stat().st_size <= 2_500_000


def test_status_and_messages_pass_through(start: Callable[..., object]) -> None:
    """A program that fails says where, and ends with status 1."""
    ran = start("let xs = [1]\nlet i = len(input())\nprint(xs[i])\n", input="abcdefg\n")
    assert ran.returncode == 1
    assert "error: list index out of range: 7 (len 1)\n  --> app/a.mochi:3\n" in ran.stderr


def test_fuel_of_a_profile_stops_a_program(start: Callable[..., object]) -> None:
    """The profile is in `mochi.toml`; what it needs of the engine is turned on."""
    toml = "[engine.short]\nfuel = 1_000_000\n"
    ran = start(LOOP, ', engine="short"', toml)
    assert ran.returncode == 134
    assert ran.stderr == "error: `a`: out of fuel, which was 1000000\n  at app/a.mochi:2\n"


def test_deadline_stops_a_program(start: Callable[..., object]) -> None:
    """After so many milliseconds, wherever it is."""
    ran = start(LOOP, ', engine={"deadline_ms": 200}')
    assert ran.returncode == 134
    assert ran.stderr == "error: `a`: not done within 200 ms\n  at app/a.mochi:2\n"


def test_memory_limit_stops_a_program(start: Callable[..., object]) -> None:
    """A list that grows without end is refused more memory, and told so."""
    source = "var xs: list<int> = []\nwhile true { xs = append(xs, 1) }\n"
    ran = start(source, ', engine={"memory_limit": 16 << 20}')
    assert ran.returncode in (1, 134)
    assert "memory" in ran.stderr


def test_winch_compiles_too(start: Callable[..., object]) -> None:
    """The launcher knows which compiler made the artifact."""
    ran = start('print("fast to compile")\n', ', engine={"compiler": "winch"}')
    assert (ran.returncode, ran.stdout) == (0, "fast to compile\n")


def test_code_without_signals_runs(start: Callable[..., object]) -> None:
    """The launcher knows how the code traps."""
    ran = start("print(1 / 1)\n", ', engine={"signals_based_traps": False}')
    assert ran.returncode == 0


def test_debugger_stops_at_a_line_and_shows_the_stack(installed: Project) -> None:
    """In mode=debug, gdb knows the functions and lines of the program."""
    gdb = shutil.which("gdb")
    if gdb is None:
        pytest.skip("gdb is missing")
    source = "fun twice(n: int): int {\n  let m = n * 2\n  return m\n}\n\nprint(twice(21))\n"
    installed.write({"app/SConscript": 'mochi_binary(name="a", srcs=["a.mochi"])\n',
                     "app/a.mochi": source})  # fmt: skip
    installed.scons("mode=debug")
    program = installed.root / BUILD.replace("release", "debug") / "app/a"
    words = ["set breakpoint pending on", "break app/a.mochi:2", "run", "bt"]
    arguments = [word for text in words for word in ("-ex", text)]
    said = subprocess.run(
        [gdb, "-q", "-nx", "-batch", *arguments, str(program)],
        cwd=installed.root, capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    assert "app/a.mochi:2\n2\t  let m = n * 2" in said
    stack = [line.split(" in ")[1] for line in said.splitlines() if line.startswith("#")]
    assert stack == ["twice () at app/a.mochi:2", "main () at app/a.mochi:6"]


def test_link_none_makes_no_executables(installed: Project) -> None:
    """Artifacts and objects alone, and nothing is said of launchers."""
    installed.write({"app/SConscript": 'mochi_binary(name="a", srcs=["a.mochi"])\n',
                     "app/a.mochi": "print(1)\n"})  # fmt: skip
    done = installed.scons("link=none")
    assert "executable" not in done.out
    assert not (installed.root / BUILD / "app/a").exists()


def test_command_line_builds_an_executable(installed: Project) -> None:
    """`build --emit exe` is one command from a source to a program."""
    installed.write({"hello.mochi": 'print("hello")\n'})
    done = installed.cli("build", "hello.mochi", "--emit", "exe")
    assert done.status == 0, done.err
    assert subprocess.check_output([installed.root / "hello"]) == b"hello\n"


def test_executable_and_folder_cannot_have_one_name(installed: Project) -> None:
    """`//:app` and `//app:b` would both want `build/…/app`."""
    installed.write(
        {
            "SConstruct": 'env = Environment(tools=["mochi"], '
            'toolpath=[PyPackageDir("mochi_rules.rules.site_tools")])\n'
            'mochi_binary(name="app", srcs=["a.mochi"])\nSConscript("app/SConscript")\n',
            "a.mochi": "print(1)\n",
            "app/SConscript": 'mochi_binary(name="b", srcs=["b.mochi"])\n',
            "app/b.mochi": "print(2)\n",
        }
    )
    done = installed.scons()
    assert done.status == 2
    assert "error[B008]: `//app:b` would make" in done.err


def test_clean_removes_executables_and_keeps_the_launcher(installed: Project) -> None:
    """A launcher is for this user; an executable is of this workspace."""
    installed.write({"app/SConscript": 'mochi_binary(name="a", srcs=["a.mochi"])\n',
                     "app/a.mochi": "print(1)\n"})  # fmt: skip
    installed.scons()
    assert (installed.root / BUILD / "app/a").exists()
    installed.scons("-c")
    assert not (installed.root / BUILD / "app/a").exists()
    assert "exe" in [verb for verb, _, _ in installed.scons().steps]


def test_builders_make_executables_too(installed: Project) -> None:
    """For people who think in SCons: from an artifact, or all the way from a source."""
    installed.write(
        {
            "SConstruct": 'env = Environment(tools=["mochi"], '
            'toolpath=[PyPackageDir("mochi_rules.rules.site_tools")])\n'
            'env.MochiProgram("out/a", "a.mochi")\n'
            'env.CwasmExecutable("out/b", env.Cwasm("out/b.cwasm", "out/a.wasm")[0], '
            'MOCHI_ENGINE={"dirs": ["out"]})\n',
            "a.mochi": 'print("built")\n',
        }
    )
    done = installed.scons()
    assert done.status == 0, done.err
    for name in ("a", "b"):
        assert subprocess.check_output([installed.root / "out" / name]) == b"built\n"
