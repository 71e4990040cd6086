"""`build --emit clif`: Cranelift's form of a program, from a `wasmtime` command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.needs import need

MOCHI = "fun twice(n: int): int {\n  return twice(n - 1) * 2\n}\nprint(twice(4))\n"


@pytest.fixture
def program(here: Path) -> str:
    """Return a program with a function."""
    (here / "app.mochi").write_text(MOCHI)
    return "app.mochi"


def pretend(folder: Path, script: str) -> str:
    """Put a `wasmtime` into a directory, and return the directory."""
    folder.mkdir()
    command = folder / "wasmtime"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return str(folder)


VERSION = 'if [ "$1" = --version ]; then echo "wasmtime 48.0.8 (0123456 2026-08-20)"; exit; fi\n'


def test_functions_come_in_order(typed, program, here, monkeypatch) -> None:
    """What the command writes into many files is one text: functions by number, then the rest."""
    names = ("signatures[0]--x", "wasm[0]--function[10]--b", "wasm[0]--function[9]--a", "builtin")
    script = "".join(f"echo ';; {name}' > 'clif/{name}.clif'\n" for name in names)
    monkeypatch.setenv("PATH", pretend(here / "bin", VERSION + script))
    result = typed("build", program, "--emit", "clif")

    assert result.status == 0
    assert (here / "app.clif").read_text() == (
        ";; wasm[0]--function[9]--a\n\n;; wasm[0]--function[10]--b\n\n"
        ";; builtin\n\n;; signatures[0]--x\n"
    )


def test_command_gets_the_configuration(typed, program, here, monkeypatch) -> None:
    """The command compiles as the build would: for the target, with the mode's settings."""
    script = 'echo "$@" > clif/f.clif'
    monkeypatch.setenv("PATH", pretend(here / "bin", VERSION + script))
    words = ("build", program, "--emit", "clif", "-o", "-", "--mode", "release")
    result = typed(*words, "--target", "aarch64-linux")

    assert "compile --target aarch64-unknown-linux-gnu" in result.out
    assert "-O opt-level=2" in result.out
    assert "--emit-clif clif -o out.cwasm in.wasm" in result.out


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (None, "C021", "`wasmtime` is not on PATH"),
        ("echo wasmtime 47.0.0", "C021", "is Wasmtime 47.0.0, and 48 is needed"),
        (
            VERSION + "echo no such target >&2; exit 1",
            "A079",
            "note: output of wasmtime:\n    no such target\n",
        ),
        (VERSION, "A079", "note: it printed nothing\n"),
    ],
)
def test_without_a_command_that_can(typed, program, monkeypatch, script, code, said) -> None:
    """Without a command of our version, or when it refuses, the error says which and why."""
    path = pretend(Path("bin").absolute(), script) if script is not None else ""
    monkeypatch.setenv("PATH", path)
    result = typed("build", program, "--emit", "clif")

    assert result.status == (3 if code == "C021" else 2)
    assert f"error[{code}]" in result.err
    assert said in result.err
    assert ("cargo install wasmtime-cli --version ^48" in result.err) == (code == "C021")
    assert not Path("app.clif").exists()


def test_command_that_is_named(typed, program, here) -> None:
    """`--aot` names the command."""
    folder = pretend(here / "bin", VERSION + "echo ';; named' > clif/f.clif")
    result = typed("build", program, "--emit", "clif", "-o", "-", "--aot", f"{folder}/wasmtime")

    assert result.out == ";; named\n"


@pytest.mark.slow
def test_real_command(typed, program, here) -> None:
    """A real command shows the functions of the program by name."""
    need("wasmtime")
    result = typed("build", program, "--emit", "clif", "-o", "-", "--mode", "release")

    assert result.status == 0
    assert "::main>:\nfunction u0:" in result.out
    assert "::twice>:\nfunction u0:" in result.out
