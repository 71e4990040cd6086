"""The steps of a bundle: what is in their keys, and what they do with a compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mochi_rules.aot.tools.wheel_download import wheel_pin
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import PLATFORMS, find_platform
from mochi_rules.platforms.toolchain import Toolchain, ToolchainType
from mochi_rules.steps.engines.local_engines import LocalEngines
from mochi_rules.steps.native.bundle import (
    LIBRARY,
    find_compiler,
    launcher_sources,
    launcher_step,
    library_step,
    place_step,
)
from mochi_rules.steps.step import LAUNCHER
from mochi_rules.steps.tools.tool_choice import Toolchains

if TYPE_CHECKING:
    from pathlib import Path

LINUX, WINDOWS = find_platform("x86_64-linux"), find_platform("x86_64-windows")


def compiler(*command: str) -> Toolchain:
    """Return a C compiler of version 7."""
    return Toolchain(ToolchainType.C, "cc", "test", identity="cc 7", command=command)


def script(folder: Path, text: str) -> str:
    """Return a compiler that is a script."""
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def engines():
    """Return engines that are ended."""
    made = LocalEngines(Toolchains())
    yield made
    made.close()


def test_key_of_launcher_has_no_path():
    """It has the compiler's version and what it is given, but not how it is started here."""
    step = launcher_step(LINUX, compiler("/opt/here/cc"))
    assert step.arguments == (
        "--platform=x86_64-linux", "--compiler=cc 7",
        "-O2", "-s", "launcher.c", "-o", "launcher", "-pthread", "-ldl",
    )  # fmt: skip


@pytest.mark.parametrize("platform", [LINUX, WINDOWS], ids=lambda row: row.name)
def test_compiler_runs_among_the_sources(platform, engines, tmp_path):
    """It finds them by name, and what it leaves is taken, whatever its suffix."""
    text = 'for word; do case "$before" in -o) cat sha256.h > "$word";; esac; before=$word; done'
    step = launcher_step(platform, compiler(script(tmp_path, text)))
    sources = {name: path.read_bytes() for name, path in launcher_sources().items()}
    assert step.output == LAUNCHER
    assert step.make(engines, sources).data == sources["sha256.h"]


@pytest.mark.parametrize("text", ["echo broken >&2; exit 1", "exit 0"])
def test_compiler_that_makes_nothing_is_reported(text, engines, tmp_path, monkeypatch):
    """Whatever its status says: C034."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # the folder of the compiler is kept
    step = launcher_step(LINUX, compiler(script(tmp_path, text)))
    with pytest.raises(MochiError, match=r"C034: `cc` could not compile") as caught:
        step.make(engines, {})
    command, printed = caught.value.diagnostics[0].notes
    assert "launcher.c" in command
    assert ("broken" in printed) or ("no such file" in printed)


def test_compiler_of_the_user_is_asked_first():
    """As every tool of the user's; and for a platform without bundles, none is."""
    mine = compiler("/opt/here/cc")
    assert find_compiler(Toolchains((mine,)), WINDOWS) is mine
    with pytest.raises(MochiError, match="A112"):
        find_compiler(Toolchains((mine,)), find_platform("riscv64-linux"))


def test_key_of_library_is_its_pin():
    """Another version, another wheel or another platform is another step."""
    found = [library_step(row).arguments for row in PLATFORMS if row.wheel_tag]
    assert len(set(found)) == 6
    assert f"--sha256={wheel_pin(LINUX).sha256}" in library_step(LINUX).arguments


def test_platform_without_wheel_has_no_library():
    """A112, before pip is asked."""
    with pytest.raises(MochiError, match="A112"):
        library_step(find_platform("s390x-linux"))


def test_library_is_placed_as_it_is(engines):
    """Nothing is done to it."""
    assert place_step().make(engines, {LIBRARY: b"library"}).data == b"library"
