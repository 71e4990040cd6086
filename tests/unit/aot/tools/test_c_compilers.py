"""C compilers of every platform: which are asked, their arguments, and what installs them."""

from __future__ import annotations

import pytest

from mochi_rules.aot.tools import c_compilers
from mochi_rules.aot.tools.c_compilers import c_toolchains
from mochi_rules.platforms.platform import PLATFORMS, find_platform
from mochi_rules.platforms.toolchain import ToolchainType, resolution_error, resolve

LINUX, WINDOWS = find_platform("x86_64-linux"), find_platform("x86_64-windows")


@pytest.fixture
def machine(monkeypatch):
    """Make a machine without compilers; what is added to the set is there, of version 7."""
    programs = set()
    monkeypatch.setattr(
        c_compilers.shutil, "which", lambda name: name if name in programs else None
    )
    monkeypatch.setattr(c_compilers, "zig_command", lambda: ("zig",) if "zig" in programs else ())
    monkeypatch.setattr(c_compilers, "_first_line", lambda *command: f"{command[0]} 7")
    return programs


def find(platform, host=LINUX):
    """Return the answer for a platform."""
    return resolve(c_toolchains(platform, host), ToolchainType.C, platform, host)


def remedy(platform, host=LINUX):
    """Return what brings a compiler."""
    return resolution_error(find(platform, host)).help


def test_host_has_its_own_compiler(machine):
    """For others, `cc` makes nothing."""
    machine.add("cc")
    assert find(LINUX).chosen.command == ("cc",)
    assert not any(find(platform).chosen for platform in PLATFORMS if platform != LINUX)


def test_compiler_of_distribution_stands_before_zig(machine):
    """It is what most machines have."""
    machine.update(("zig", "x86_64-w64-mingw32-gcc"))
    assert find(WINDOWS).chosen.name == "x86_64-w64-mingw32-gcc"
    machine.remove("x86_64-w64-mingw32-gcc")
    assert find(WINDOWS).chosen.command == ("zig", "cc", "-target", "x86_64-windows-gnu")


def test_mingw_writes_no_time(machine):
    """Its linker would, and the flag against that is part of keys."""
    machine.add("x86_64-w64-mingw32-gcc")
    chosen = find(WINDOWS).chosen
    assert chosen.command[1:] == ("-Wl,--no-insert-timestamp",)
    assert chosen.identity == "x86_64-w64-mingw32-gcc 7 -Wl,--no-insert-timestamp"


def test_zig_is_known_by_version_and_target(machine):
    """And not by where it lies."""
    machine.add("zig")
    identities = {platform.name: find(platform).chosen.identity for platform in PLATFORMS[:6]}
    assert identities["aarch64-macos"] == "zig zig 7 for aarch64-macos"
    assert identities["aarch64-linux"] == "zig zig 7 for aarch64-linux-gnu.2.17"
    assert len(set(identities.values())) == 6


def test_each_lack_has_its_remedy(machine):
    """One command brings what a platform needs most simply."""
    assert remedy(LINUX) == "run `apt-get install gcc`"
    assert remedy(WINDOWS) == "run `apt-get install gcc-mingw-w64-x86-64`"
    assert remedy(find_platform("aarch64-windows")) == "run `pip install ziglang`"
    mac = find_platform("aarch64-macos")
    assert remedy(mac, host=mac) == "run `xcode-select --install`"
    for row in PLATFORMS:
        if row.gcc:
            assert remedy(row, host=mac) == f"run `{row.gcc.install}`"
