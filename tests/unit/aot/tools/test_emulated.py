"""The emulated wheel as a toolchain: what it lacks, and what it is given."""

from __future__ import annotations

import pytest

from mochi_rules.aot.config import engine_config
from mochi_rules.aot.tools import emulated
from mochi_rules.aot.tools.emulated import (
    directory,
    driver_arguments,
    emulated_toolchain,
    find_emulator,
)
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms import native_files
from mochi_rules.platforms.platform import PLATFORMS, find_platform
from mochi_rules.platforms.toolchain import ToolchainType, resolve

LINUX, ARM = find_platform("x86_64-linux"), find_platform("aarch64-linux")


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Make a machine that has everything; `lacks` takes programs away."""
    programs = {"qemu-aarch64-static", "aarch64-linux-gnu-gcc"}
    monkeypatch.setattr(
        emulated.shutil, "which", lambda name: f"/usr/bin/{name}" if name in programs else None
    )
    (tmp_path / "system" / "lib").mkdir(parents=True)
    monkeypatch.setattr(emulated, "system_directory", lambda _target: tmp_path / "system")
    monkeypatch.setattr(emulated, "tools_directory", lambda: tmp_path / "tools")
    return programs


def install():
    """Put something where the tool is kept."""
    directory(ARM).mkdir(parents=True)
    for name in ("aot", "libwasmtime.so"):
        (directory(ARM) / name).touch()


def test_tool_is_ready_where_it_was_installed(machine):
    """It compiles for aarch64-linux and nothing else, and needs no C compiler any more."""
    install()
    machine.remove("aarch64-linux-gnu-gcc")
    found = [emulated_toolchain(ARM, LINUX)]
    for target in PLATFORMS:
        resolution = resolve(found, ToolchainType.AOT, target, LINUX)
        assert (resolution.chosen is not None) == (target is ARM)
    assert found[0].identity == "wasmtime 48.0.0"
    assert "/usr/bin/qemu-aarch64-static" in found[0].command


def test_emulator_of_the_other_name_will_do(machine):
    """Distributions call it `qemu-aarch64` too."""
    install()
    machine.symmetric_difference_update({"qemu-aarch64-static", "qemu-aarch64"})
    assert "/usr/bin/qemu-aarch64" in emulated_toolchain(ARM, LINUX).command


@pytest.mark.parametrize(
    ("lack", "words", "remedy"),
    [
        ("qemu-aarch64-static", "`qemu-aarch64-static` is not on PATH", "qemu-user-static"),
        ("aarch64-linux-gnu-gcc", "gcc` is not on PATH", "apt-get install gcc-aarch64-linux-gnu"),
        ("", "it is not installed", "mochi-rules toolchain install"),
    ],
)
def test_what_it_lacks_is_named_with_the_command(machine, lack, words, remedy):
    """Each need that is not met is said by name, with what to type."""
    machine.discard(lack)
    toolchain = emulated_toolchain(ARM, LINUX)
    assert words in toolchain.missing
    assert remedy in toolchain.remedy
    assert toolchain.command == ()


def test_library_of_the_other_machine_is_needed(machine, tmp_path):
    """Without a C library for aarch64 nothing can be run."""
    (tmp_path / "system" / "lib").rmdir()
    assert "there is no C library" in emulated_toolchain(ARM, LINUX).missing


def test_half_an_installation_is_none(machine):
    """A library without the program, as an interrupted installation leaves it, is not used."""
    install()
    (directory(ARM) / "aot").unlink()
    assert "not installed" in emulated_toolchain(ARM, LINUX).missing


def test_only_linux_has_it(machine):
    """On other systems the reason is the system."""
    assert "Linux only" in emulated_toolchain(ARM, find_platform("x86_64-macos")).missing


def test_missing_sources_are_reported(machine, monkeypatch):
    """An installation without its data files gives a diagnostic, not a traceback."""
    monkeypatch.setattr(native_files, "native_directory", lambda _tree: None)
    assert "is missing" in emulated_toolchain(ARM, LINUX).missing


def test_every_option_reaches_the_program():
    """The program is given all that is set; a size that is not stays Wasmtime's."""
    config = engine_config(ARM, "armv8.1", {"memory_guard_size": 65536, "consume_fuel": True})
    assert driver_arguments(config, "module") == [
        "kind=module",
        "target=aarch64-unknown-linux-gnu",
        "flag=has_lse",
        "opt_level=speed",
        "compiler=cranelift",
        "debug_info=0",
        "consume_fuel=1",
        "epoch_interruption=0",
        "memory_guard_size=65536",
        "nan_canonicalization=0",
        "signals_based_traps=1",
    ]


def test_emulator_is_a_command(machine, monkeypatch, tmp_path):
    """With the C library of the other machine, where there is one."""
    monkeypatch.setattr(emulated, "host_platform", lambda: LINUX)
    system = str(tmp_path / "system")
    assert find_emulator(ARM) == ("/usr/bin/qemu-aarch64-static", "-L", system)
    machine.add("qemu-riscv64")
    assert find_emulator(find_platform("riscv64-linux"))[0] == "/usr/bin/qemu-riscv64"


@pytest.mark.parametrize(
    ("target", "why", "remedy"),
    [
        (ARM, "`qemu-aarch64-static` is not on PATH", "run `apt-get install qemu-user-static`, or"),
        (find_platform("aarch64-macos"), "qemu runs programs of Linux under Linux only", "name a"),
    ],
    ids=["no emulator", "another system"],
)
def test_machine_without_an_emulator_is_told_what_to_install(
    machine, monkeypatch, target, why, remedy
):
    """Or how to name a server."""
    monkeypatch.setattr(emulated, "host_platform", lambda: LINUX)
    machine.clear()
    with pytest.raises(MochiError, match="C037") as caught:
        find_emulator(target)
    [found] = caught.value.diagnostics
    assert found.notes == (why,)
    assert found.help.startswith(remedy)
    assert f"`[remote.platform.{target.name}]`" in found.help
