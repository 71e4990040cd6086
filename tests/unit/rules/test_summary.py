"""Tests of the rows that end a build for several platforms."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import SCons.Action
from SCons.Node import executed, failed, up_to_date

from mochi_rules.platforms.platform import find_platform
from mochi_rules.project.configuration import MODES, Configuration
from mochi_rules.rules.summary import summarize
from mochi_rules.steps.step import OBJECT, PROGRAM, REPORT, WASM

if TYPE_CHECKING:
    from SCons.Node.FS import FS

LINUX, MACOS = (
    Configuration(platform, MODES[0], platform.architecture.default_cpu_level, 2)
    for platform in map(find_platform, ("x86_64-linux", "aarch64-macos"))
)
MADE = {".wasm": WASM, ".cwasm.json": REPORT, ".o": OBJECT, "": PROGRAM}


class Build:
    """A build for some configurations, and what it says in the end."""

    def __init__(self, fs: FS, *configurations: Configuration) -> None:
        self.said: list[str] = []
        self.tasks: dict[Any, Any] = {}
        self._fs = fs
        self.space: Any = SimpleNamespace(
            has_begun=True,
            settings=SimpleNamespace(configurations=configurations, build="build"),
            console=SimpleNamespace(
                is_quiet=False, tally=SimpleNamespace(built=1), say=self.said.append
            ),
            tasks=self.tasks,
            requested_steps=lambda: set(self.tasks),
            without_launcher=set(),
        )

    def step(self, configuration: Configuration, name: str, suffix: str, state: int) -> None:
        """Add a step that ended in a state of SCons."""
        node = self._fs.File(f"build/{configuration.name}/{name}{suffix}")
        node.set_state(state)
        self.tasks[node] = SimpleNamespace(step=SimpleNamespace(output=MADE[suffix]))

    def summary(self) -> list[str]:
        """Return the lines before the closing one."""
        summarize(self.space)
        return self.said


@pytest.fixture(name="build")
def _build(fs: FS) -> Build:
    return Build(fs, LINUX, MACOS)


def test_row_counts_what_is_there(build: Build) -> None:
    """Checked artifacts, objects and executables, whether made now or before; nothing else."""
    for suffix in MADE:
        build.step(LINUX, "a", suffix, executed)
    build.step(LINUX, "b", ".o", up_to_date)
    build.step(MACOS, "a", ".wasm", executed)
    assert build.summary() == [
        "x86_64-linux   1 artifact checked, 2 objects, 1 executable",
        "aarch64-macos  nothing",
    ]


def test_failed_steps_are_not_counted(build: Build) -> None:
    """What failed is reported where it failed."""
    build.step(LINUX, "a", ".o", failed)
    assert build.summary()[0] == "x86_64-linux   nothing"


def test_one_platform_needs_no_row(fs: FS) -> None:
    """The closing line says how many steps there were."""
    build = Build(fs, LINUX)
    build.step(LINUX, "a", ".o", executed)
    assert build.summary() == []


def test_platform_without_launcher_says_how_to_get_one(build: Build) -> None:
    """In its row, and once as a command for all of them."""
    build.space.without_launcher.add(MACOS.platform)
    command = "mochi-rules toolchain install launcher --target aarch64-macos"
    assert build.summary() == [
        "x86_64-linux   nothing",
        "aarch64-macos  no executables",
        f"no executables yet: `{command}`",
    ]


def test_build_that_made_nothing_does_not_repeat_the_command(build: Build) -> None:
    """It was shown when something was built."""
    build.space.without_launcher.add(MACOS.platform)
    build.space.console.tally.built = 0
    assert build.summary()[-1] == "aarch64-macos  no executables"


@pytest.mark.parametrize("reason", ["not begun", "quiet", "dry run"])
def test_nothing_is_said_of_no_build(
    build: Build, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no step began, under `--ui=quiet`, and under `-n`."""
    build.space.has_begun = reason != "not begun"
    build.space.console.is_quiet = reason == "quiet"
    monkeypatch.setattr(SCons.Action, "execute_actions", reason != "dry run")
    assert build.summary() == []
