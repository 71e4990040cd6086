"""Tests of executables without Wasmtime, by `scons link=native` and `--link native`."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from mochi_rules.platforms.platform import PLATFORMS, host_platform

from .project import HELLO, REPOSITORY, Project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.needs("cc")]
TESTED = {
    **HELLO,
    "app/hello.txt": "hello\n",
    "app/SConscript": HELLO["app/SConscript"]
    + 'mochi_test(name="greets", program=":hello", expected="hello.txt")\n'
    + 'mochi_test(name="greets_again", program=":hello", expected="hello.txt")\n',
}
BUILD = f"build/{host_platform().name}-release-native"


@pytest.fixture
def native(quick: Project, native_tools: Path) -> Project:
    """Return a project whose programs need no Wasmtime."""
    quick.environment["XDG_DATA_HOME"] = str(native_tools)
    return quick


def test_scons_links_a_program(native: Project) -> None:
    """The program is its own: it starts where nothing of ours is, and is not made again."""
    native.write(HELLO)
    done = native.scons("link=native")
    assert done.status == 0, done.err
    verbs = {name: verb for verb, name, _ in done.steps}
    assert verbs["app/hello.clif"] == "mochi"
    assert verbs["app/hello.o"] == "clif"
    assert verbs["_native/host.o"] == "cc"
    assert verbs["app/hello"] == "link"
    assert not any(name.endswith("wasm") for name in verbs)
    program = native.root / BUILD / "app" / "hello"
    assert subprocess.run([program], capture_output=True, check=True, env={}).stdout == b"hello\n"
    assert native.scons("link=native").steps == []


# Makes the smallest executable of its target, where it links.
ZIG = """\
#!{python}
import sys
sys.path.insert(0, {repository!r})
from mochi_rules.platforms.platform import PLATFORMS
from tests.unit.aot.executable.files import make_launcher
if sys.argv[1] == "version":
    print("0.0")
else:
    target, output = (sys.argv[sys.argv.index(word) + 1] for word in ("-target", "-o"))
    rows = {{f"{{row.cpu}}-{{row.system.zig_static}}": row for row in PLATFORMS}}
    data = b"" if "-c" in sys.argv else make_launcher(rows[target])
    open(output, "wb").write(data)
"""


def test_zig_links_for_every_platform(native: Project, tmp_path: Path) -> None:
    """From one host, and each file is checked to be of its platform."""
    zig = tmp_path / "bin" / "zig"
    zig.parent.mkdir()
    zig.write_text(ZIG.format(python=sys.executable, repository=str(REPOSITORY)), encoding="utf-8")
    zig.chmod(0o755)
    native.environment["PATH"] = str(zig.parent)
    native.write(HELLO)
    done = native.scons("target=all", "link=native")
    assert done.status == 0, done.err
    for row in PLATFORMS:
        name = f"hello{row.system.executable_suffix}"
        assert (native.root / f"build/{row.name}-release-native/app/{name}").exists()


def test_tests_run_webassembly(native: Project) -> None:
    """It is made for them alone: the program is complete without it."""
    native.write(TESTED)
    done = native.scons("link=native")
    assert len(done.steps) == 4
    assert "not reached" not in done.summary
    done = native.scons("link=native", "test")
    verbs = [(verb, name) for verb, name, _ in done.steps]
    assert verbs == [
        ("mochi", "app/hello.wasm"),
        ("aot", "app/hello.cwasm"),
        ("check", "app/hello.cwasm"),
        ("test", "//app:greets"),
        ("test", "//app:greets_again"),
    ]


def test_scons_removes_what_it_made(native: Project) -> None:
    """A clean needs no tools, and leaves nothing of tests."""
    native.write(TESTED)
    assert native.scons("link=native", ".", "test").status == 0
    assert native.scons("-c", "link=native").status == 0
    assert native.outputs(f"{BUILD}/**/*") == {}


def test_limit_is_refused_at_its_rule(native: Project) -> None:
    """A program that must be limited does not lose its limit unsaid."""
    rule = 'mochi_binary(name="hello", srcs=["hello.mochi"], engine={"fuel": 1000})\n'
    native.write({**HELLO, "app/SConscript": rule})
    done = native.scons("link=native")
    assert done.status == 2
    assert "error[A120]: `link=native` has no `fuel`" in done.out + done.err
    assert "app/SConscript:1" in done.out + done.err


def test_command_line_writes_every_form(native: Project) -> None:
    """The text, the object and the program."""
    native.write(HELLO)
    for form, output in (("clif", "a.clif"), ("obj", "a.o"), ("exe", "a")):
        done = native.cli(
            "build", "app/hello.mochi", "--link", "native", "--emit", form, "-o", output
        )
        assert done.status == 0, done.err
    assert "function %main() fast {" in (native.root / "a.clif").read_text("utf-8")
    assert (native.root / "a.o").read_bytes().startswith(b"\x7fELF")
    assert native.cli("verify", "a.o").out == "a.o: sound, 9 checks\n"
    other = native.cli("verify", "a.o", "--target", "aarch64-macos")
    assert other.status == 1
    assert "relocatable: expected an object of the format `macho`, got `elf`" in other.out
    ended = subprocess.run([native.root / "a"], capture_output=True, check=True)
    assert ended.stdout == b"hello\n"


def test_machine_code_is_shown_with_lines(native: Project) -> None:
    """The code of the release, which has no lines of its own."""
    native.write(HELLO)
    done = native.cli("objdump", "app/hello.mochi", "--native", "--function", "main")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("main (app/hello.mochi:1)\n")
    assert '  ; app/hello.mochi:1: print("hello")\n' in done.out
    done = native.cli("explore", "app/hello.mochi", "--native", "-o", "a.html")
    assert (done.status, done.out) == (0, "wrote a.html\n")


def test_run_is_the_program(native: Project) -> None:
    """Its output, and its status."""
    native.write({"a.mochi": 'print("native")\npanic("end")\n'})
    done = native.cli("run", "a.mochi", "--native")
    assert (done.status, done.out) == (1, "native\n")
    assert done.err == "error: panic: end\n  --> a.mochi:2\n"


def test_run_refuses_what_only_a_sandbox_has(native: Project) -> None:
    """A native program sees all files, and nobody counts its instructions."""
    native.write({"a.mochi": "print(1)\n", "mochi.toml": "[engine.limited]\nfuel = 1000\n"})
    done = native.cli("run", "a.mochi", "--native", "--dir")
    assert (done.status, done.err.splitlines()[0]) == (
        2,
        "error[B070]: `--dir` does not apply to a native program",
    )
    done = native.cli("run", "a.mochi", "--native", "--engine", "limited")
    assert "error[A120]: `link=native` has no `fuel`" in done.err


def test_only_mochi_has_a_native_road(native: Project) -> None:
    """WebAssembly of others may do what ours does not."""
    native.write({"a.wat": "(module)"})
    done = native.cli("build", "a.wat", "--link", "native")
    assert done.status == 2
    assert "error[B070]: `--link native` applies only to `.mochi` files" in done.err


@pytest.mark.skipif(bool(find_spec("ziglang")), reason="Zig is installed here")
def test_platform_without_a_linker_is_refused(native: Project) -> None:
    """The reasons are listed, and one command fixes it."""
    native.write(HELLO)
    native.environment["PATH"] = ""
    done = native.cli("build", "app/hello.mochi", "--link", "native", "--target", "s390x-linux")
    assert done.status == 3
    assert "error[C002]: no toolchain can build `C` for `s390x-linux`" in done.err
    assert "pip install ziglang" in done.err
