"""A `wasmtime` command as a toolchain, with small scripts in its place."""

from __future__ import annotations

import sys

import pytest

from mochi_rules.aot.client import AotWorker, compile_wasm
from mochi_rules.aot.config import engine_config
from mochi_rules.aot.probe import EMPTY_MODULE
from mochi_rules.aot.tools.command_line import command_line_toolchains
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import PLATFORMS
from mochi_rules.platforms.toolchain import ToolchainType, resolution_error, resolve


@pytest.fixture
def command(tmp_path):
    """Write a command that says a version and then does something else, and return its path."""

    def command(version, body="sys.exit('Error: Support for this target is disabled')"):
        path = tmp_path / "wasmtime"
        path.write_text(
            f"#!{sys.executable} -I\n"
            "import os, shutil, sys\n"
            f"if sys.argv[1:] == ['--version']: print({version!r}); sys.exit()\n"
            f"{body}\n"
        )
        path.chmod(0o755)
        return str(path)

    return command


@pytest.fixture
def only_host(command, worker, host, tmp_path):
    """A command that compiles an empty module for this machine's architecture and no other."""
    platform = next(row for row in PLATFORMS if row.cpu == host.cpu and row.os == "linux")
    if platform is not host:
        pytest.skip("a Linux machine is missing")
    artifact = tmp_path / "artifact"
    artifact.write_bytes(compile_wasm(worker, engine_config(host), EMPTY_MODULE))
    return command(
        "wasmtime 48.0.8 (0123456789 2026-09-01)",
        f"if {host.triple!r} not in sys.argv: sys.exit('Error: Support for this target is off')\n"
        f"shutil.copy({str(artifact)!r}, sys.argv[sys.argv.index('-o') + 1])",
    )


def test_command_is_taken_for_the_machines_that_it_has(host, only_host):
    """It is ready for the architecture it compiles for, and says for every other what it said."""
    found = command_line_toolchains(host, only_host)
    for target in PLATFORMS:
        resolution = resolve(found, ToolchainType.AOT, target, host)
        if target.cpu == host.cpu:
            assert resolution.chosen
            assert resolution.chosen.identity == "wasmtime 48.0.8"
        else:
            assert resolution.chosen is None
            notes = " ".join(resolution_error(resolution).notes)
            assert f"cannot compile for {target.cpu}: Support for this target is off" in notes


def test_command_on_path_is_found(host, only_host, tmp_path, monkeypatch, worker):
    """Without a path the command is looked for on PATH, and its worker compiles."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    resolution = resolve(command_line_toolchains(host), ToolchainType.AOT, host, host)
    assert resolution.chosen
    assert resolution.chosen.origin == "on PATH"
    config = engine_config(host)
    with AotWorker(resolution.chosen.command) as ours:
        assert compile_wasm(ours, config, EMPTY_MODULE) == compile_wasm(
            worker, config, EMPTY_MODULE
        )


def test_relative_path_is_good_from_everywhere(host, only_host, tmp_path, monkeypatch):
    """A worker is started with the whole path, wherever it will run."""
    monkeypatch.chdir(tmp_path)
    found = command_line_toolchains(host, "./wasmtime")
    [ready] = [item for item in found if not item.missing]
    assert ready.command[-1] == str(tmp_path / "wasmtime")


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("wasmtime 47.0.1", "is Wasmtime 47.0.1, and 48 is needed"),
        ("wasmtime 480.0.1", "is Wasmtime 480.0.1, and 48 is needed"),
        ("wasmtime-cli 50.0.1", "is Wasmtime 50.0.1, and 48 is needed"),
        ("wasmer 48.0.1", "says `wasmer 48.0.1`, which is not a version"),
        ("", "says ``, which is not a version"),
    ],
)
def test_other_version_is_rejected_with_both(host, command, version, words):
    """A command of another version is one toolchain that lacks it, with both versions named."""
    [toolchain] = command_line_toolchains(host, command(version))
    assert words in toolchain.missing
    assert toolchain.command == ()


def test_command_that_is_not_there_says_where_it_was_looked_for(host, tmp_path, monkeypatch):
    """Nothing on PATH, nothing at a path, and a file that is not a program are distinguished."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command_line_toolchains(host)[0].missing == "`wasmtime` is not on PATH"
    path = tmp_path / "tool"
    assert command_line_toolchains(host, str(path))[0].missing == f"`{path}` is not a program"
    path.write_bytes(b"\x7fELF no")
    assert command_line_toolchains(host, str(path))[0].missing == f"`{path}` is not a program"
    path.chmod(0o755)
    assert "cannot be started" in command_line_toolchains(host, str(path))[0].missing


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("os.kill(os.getpid(), 9)", "it was terminated by signal 9"),
        ("sys.exit(0)", "no such file"),
        ("open(sys.argv[sys.argv.index('-o') + 1], 'w').write('x')", "no engine section"),
        ("sys.exit('error: unknown -C / --codegen option: collector')", "option: collector"),
        ("sys.exit(7)", "status 7"),
    ],
)
def test_command_that_cannot_be_probed_is_rejected_with_the_reason(host, command, body, words):
    """However the probe fails, the toolchains say how, and nothing is raised."""
    found = command_line_toolchains(host, command("wasmtime 48.0.1", body))
    assert {row.cpu for row in PLATFORMS} == {next(iter(item.target)).value for item in found}
    for item in found:
        assert words in item.missing.lower()


def test_command_is_asked_once(host, command, tmp_path):
    """A second question about the same command starts nothing."""
    log = tmp_path / "log"
    path = command("wasmtime 48.0.1", f"open({str(log)!r}, 'a').write('x')")
    first = command_line_toolchains(host, path)
    size = log.stat().st_size
    assert command_line_toolchains(host, path) == first
    assert log.stat().st_size == size > 0


def test_command_that_changed_its_version_is_no_worker(host, command, only_host):
    """A worker asks again: what was exchanged under it is not used."""
    found = [item for item in command_line_toolchains(host, only_host) if not item.missing]
    command("wasmtime 47.0.1")
    with AotWorker(found[0].command) as worker, pytest.raises(MochiError, match="A080"):
        worker.greeting()
