"""Tests of bundles: executables that take a C compiler and pip instead of Rust."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from mochi_rules.platforms.platform import host_platform

from .project import HELLO, SCONSTRUCT, Project

if TYPE_CHECKING:
    from pathlib import Path

    from .emulation import Emulation

pytestmark = pytest.mark.slow

needs_cc = pytest.mark.needs("cc")
BUILD = f"build/{host_platform().name}-release-bundle"
TWO_FOLDERS = HELLO | {
    "app/SConscript": 'mochi_binary(name="hello", srcs=["hello.mochi"])\n'
    'mochi_binary(name="other", srcs=["other.mochi"])\n',
    "app/other.mochi": 'print("other")\n',
    "lib/SConscript": 'mochi_binary(name="third", srcs=["third.mochi"])\n',
    "lib/third.mochi": 'print("third")\n',
}


def output(*command: str | Path) -> str:
    """Return what a program prints; it must succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@needs_cc
def test_programs_of_a_folder_share_their_library(quick: Project) -> None:
    """The launcher and the library are made once, and the library is in every folder."""
    quick.write(TWO_FOLDERS)
    done = quick.scons("link=bundle")
    assert done.status == 0, done.err
    names = [name for verb, name, _ in done.steps if verb in ("cc", "fetch", "copy")]
    assert sorted(names) == [
        "_bundle/launcher",
        "_bundle/libwasmtime.so",
        "app/libwasmtime.so",
        "lib/libwasmtime.so",
    ]
    for program in ("app/hello", "app/other", "lib/third"):
        assert output(quick.root / BUILD / program) == program.split("/")[1] + "\n"
    assert quick.scons("link=bundle").steps == []


@needs_cc
def test_one_program_has_its_library(quick: Project) -> None:
    """Whoever asks for an executable gets what it needs, and gets it back when it is gone."""
    quick.write(HELLO)
    program = f"{BUILD}/app/hello"
    assert quick.scons("link=bundle", program).status == 0
    (quick.root / BUILD / "app/libwasmtime.so").unlink()
    done = quick.scons("link=bundle", program)
    assert [(verb, name) for verb, name, _ in done.steps] == [("copy", "app/libwasmtime.so")]
    assert output(quick.root / program) == "hello\n"


@needs_cc
def test_bundle_can_be_moved_as_a_folder(quick: Project, tmp_path: Path) -> None:
    """No path of the build is in it."""
    quick.write(HELLO)
    quick.scons("link=bundle")
    moved = (quick.root / BUILD / "app").rename(tmp_path / "moved")
    quick.run(["rm", "-rf", "build"])
    assert output(moved / "hello") == "hello\n"


@needs_cc
def test_bundles_of_two_folders_are_equal(quick: Project, tmp_path: Path) -> None:
    """Where they are made, and with which cache, decides no byte."""
    other = Project(tmp_path / "elsewhere" / "deeper", tmp_path / "other-cache")
    for project in (quick, other):
        project.write(HELLO)
        assert project.scons("link=bundle").status == 0
    made = quick.outputs(f"{BUILD}/**/*")
    assert made.keys() >= {f"{BUILD}/app/hello", f"{BUILD}/app/libwasmtime.so"}
    assert made == other.outputs(f"{BUILD}/**/*")


@needs_cc
def test_command_line_makes_the_same_bundle(quick: Project) -> None:
    """`--link` says that an executable is wanted, and its library lies beside it."""
    quick.write(HELLO)
    quick.scons("link=bundle")
    done = quick.cli("build", "app/hello.mochi", "--link", "bundle", "-o", "out/hi")
    assert done.status == 0, done.err
    made = quick.outputs(f"{BUILD}/app/*")
    got = quick.outputs("out/*")
    assert got == {
        "out/hi": made[f"{BUILD}/app/hello"],
        "out/libwasmtime.so": made[f"{BUILD}/app/libwasmtime.so"],
    }
    assert output(quick.root / "out/hi") == "hello\n"


@needs_cc
def test_clean_takes_bundles_away(quick: Project) -> None:
    """Nothing is left of a build but its journal."""
    quick.write(HELLO)
    quick.scons("link=bundle")
    assert quick.scons("-c", "link=bundle").status == 0
    assert quick.outputs("build/**/*") == {}


def test_clean_leaves_the_folder_of_a_targets_name(quick: Project) -> None:
    """What is called like a target may be a folder with the outputs of others."""
    top = 'mochi_binary(name="app", srcs=["top.mochi"])\n'
    files = {"SConstruct": SCONSTRUCT + top, "top.mochi": "print(1)\n"}
    quick.write(HELLO | files)
    assert quick.scons("link=none").status == 0
    assert quick.scons("-c", "//:app").status == 0
    assert sorted(path.rsplit("/", 1)[1] for path in quick.outputs()) == [
        "hello.cwasm", "hello.cwasm.json", "hello.o", "hello.wasm",
    ]  # fmt: skip


def test_bundle_of_another_machine_runs_there(quick: Project, emulation: Emulation) -> None:
    """All of aarch64-linux is made without Rust."""
    quick.environment["XDG_DATA_HOME"] = str(emulation.data)
    quick.write(HELLO)
    done = quick.scons("target=aarch64-linux", "toolchain=system", "link=bundle")
    assert done.status == 0, done.err
    program = quick.root / "build/aarch64-linux-release-bundle/app/hello"
    assert emulation.run([program]) == (0, b"hello\n", b"")


def test_test_for_another_machine_runs_under_an_emulator(
    quick: Project, emulation: Emulation
) -> None:
    """Its executable is built for that machine when the test is asked for, and not before."""
    quick.environment["XDG_DATA_HOME"] = str(emulation.data)
    attributes = 'platform="aarch64-linux", args=["a"], stdin="in"'
    quick.write({
        **HELLO,
        "app/in": "input\n",
        "app/out": "hello\n",
        "app/SConscript": HELLO["app/SConscript"]
        + f'mochi_test(name="good", program=":hello", expected="out", {attributes})\n'
        + f'mochi_test(name="bad", srcs=["hello.mochi"], expected="in", {attributes})\n',
    })  # fmt: skip
    words = ("toolchain=system", "link=bundle")
    assert quick.scons(*words, BUILD).status == 0
    assert not (quick.root / "build/aarch64-linux-release-bundle").exists()
    done = quick.scons(*words, "test", "//app:good", "//app:bad")
    assert ("test", "//app:good", "passed") in done.steps
    assert "error[B040]: test `//app:bad` failed: its output differs" in done.err
    without = quick.scons("toolchain=system", "link=none", "test", "//app:good")
    assert "error[C038]: `//app:hello` has no executable for `aarch64-linux` to test" in without.err


@pytest.mark.usefixtures("emulation")  # which skips where a tool is missing
def test_emulated_wheel_is_installed_once(project: Project) -> None:
    """What is there already is not fetched again: the second time pip would find nothing."""
    project.write(HELLO)
    first = project.cli("toolchain", "install", "emulated")
    project.environment["PIP_NO_INDEX"] = "1"
    again = project.cli("toolchain", "install", "emulated")
    assert (first.status, first.out) == (0, "")
    assert first.err.startswith("emulated wheel for aarch64-linux is installed: ")
    assert again == first
    done = project.scons("target=aarch64-linux", "toolchain=system", "link=none")
    assert done.status == 0, done.err


@pytest.mark.usefixtures("emulation")
def test_what_keeps_the_emulated_wheel_away_is_reported(project: Project) -> None:
    """With the command that fixes it."""
    project.environment["PATH"] = ""
    project.write({})
    done = project.cli("toolchain", "install", "emulated")
    assert done.status == 3
    assert done.err == (
        "error[C002]: no toolchain can build `aot` for `aarch64-linux`\n"
        "note: emulated wheel (qemu-user): `qemu-aarch64-static` is not on PATH\n"
        "help: run `apt-get install qemu-user-static`\n"
    )


def test_platform_without_wheel_has_no_bundle(quick: Project) -> None:
    """It is reported before anything is built."""
    quick.write(HELLO)
    words = ("--target", "riscv64-linux", "--link", "bundle")
    done = quick.cli("build", "app/hello.mochi", *words)
    assert done.status == 2
    assert "error[A112]: there is no bundle for `riscv64-linux`" in done.err
    assert "help: leave out `link=bundle`" in done.err
    assert not (quick.root / "hello").exists()


def test_compiler_that_fails_is_quoted(quick: Project, tmp_path: Path) -> None:
    """The reason is the compiler's own words."""
    compiler = tmp_path / "bin" / "cc"
    compiler.parent.mkdir()
    compiler.write_text("#!/bin/sh\necho no stdio.h here >&2\nexit 1\n", encoding="utf-8")
    compiler.chmod(0o755)
    quick.environment["PATH"] = str(compiler.parent)
    quick.write(HELLO)
    done = quick.scons("link=bundle")
    assert done.status == 2
    assert "error[C034]: `cc` could not compile `launcher.c`" in done.err
    assert "no stdio.h here" in done.err


@needs_cc
def test_library_that_cannot_be_fetched_is_reported(project: Project) -> None:
    """With pip's own words, and how to name another index."""
    project.environment |= {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"}
    project.write(HELLO)
    done = project.scons("link=bundle")
    assert done.status == 2
    assert "error[C032]: pip could not fetch Wasmtime 48" in done.err
    assert "output of pip:" in done.err
    assert "help: run `pip config set global.index-url URL`" in done.err


def test_link_applies_only_to_executables(quick: Project) -> None:
    """Nothing else has a launcher."""
    quick.write(HELLO)
    done = quick.cli("build", "app/hello.mochi", "--link", "bundle", "--emit", "wasm")
    assert done.status == 2
    assert (
        done.err == "error[B070]: `--link` applies only to executables\nhelp: write `--emit exe`\n"
    )
