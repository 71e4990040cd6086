"""Zig from wherever it is installed, a folder with a space included."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mochi_rules.aot.tools import native_tools

WRAPPER = Path(__file__).parents[4] / "toolchains" / "native" / "zig-cc"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    """Look for Zig in each test, which is not on PATH."""
    monkeypatch.delenv("ZIG", raising=False)
    monkeypatch.setattr(native_tools.shutil, "which", lambda _: None)
    native_tools.zig_command.cache_clear()
    yield
    native_tools.zig_command.cache_clear()


def test_python_package_may_be_in_a_folder_with_a_space(monkeypatch) -> None:
    """The command is words, not a line; no Python is started for it."""
    package = SimpleNamespace(origin="/my venv/ziglang/__init__.py")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: package)
    assert native_tools.zig_command() == ("/my venv/ziglang/zig",)


def test_variable_is_read_as_a_shell_does(monkeypatch) -> None:
    """Quotes keep a word together."""
    monkeypatch.setenv("ZIG", "'/my tools/zig' --flag")
    assert native_tools.zig_command() == ("/my tools/zig", "--flag")


@pytest.mark.skipif(sys.platform == "win32", reason="a script of a shell")
def test_wrapper_for_rust_starts_it(tmp_path) -> None:
    """It passes each argument on as it is, but for those that Zig does not know."""
    zig = tmp_path / "my tools" / "zig"
    zig.parent.mkdir()
    zig.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    zig.chmod(0o755)
    command = ["sh", str(WRAPPER), "a b.o", "-lgcc", "$(c)"]
    environment = {"ZIG": f"'{zig}'", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["cc", "a b.o", "$(c)"]
