"""aarch64-linux on a machine of another kind, without Rust: the wheel's library under qemu."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from mochi_rules.aot.tools import emulated
from mochi_rules.aot.tools.wheel_download import fetch_wheel
from mochi_rules.platforms.platform import find_platform
from tests.needs import need

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TARGET = find_platform("aarch64-linux")
COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"
SYSTEM = "/usr/aarch64-linux-gnu"


@dataclass(frozen=True)
class Emulation:
    """A data directory in which the compiler for aarch64-linux is installed, and its library."""

    data: Path
    library: Path

    def run(self, command: Sequence[str | Path], stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        """Run a program of the other machine: its status, and what it printed."""
        done = subprocess.run(
            [EMULATOR, "-L", SYSTEM, *command], input=stdin, capture_output=True, check=False
        )
        return done.returncode, done.stdout, done.stderr


def install_emulation(data: Path) -> Emulation:
    """Fetch the wheel for aarch64-linux, and install the compiler that runs it."""
    need(COMPILER, EMULATOR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(data))
        directory = emulated.directory(TARGET)
    directory.mkdir(parents=True)
    for name, content in emulated.prepare(TARGET, fetch_wheel(TARGET)).items():
        (directory / name).write_bytes(content)
        (directory / name).chmod(0o755)
    return Emulation(data, directory / "libwasmtime.so")
