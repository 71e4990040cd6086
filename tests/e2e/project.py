"""A project in a directory of its own, built by the real `scons` and the real `mochi-rules`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPOSITORY = Path(__file__).parents[2]
SCONSTRUCT = """\
env = Environment(tools=["mochi"], toolpath=[PyPackageDir("mochi_rules.rules.site_tools")])
SConscript(Glob("*/SConscript"))
"""
HELLO = {
    "app/SConscript": 'mochi_binary(name="hello", srcs=["hello.mochi"])\n',
    "app/hello.mochi": 'print("hello")\n',
}
# What must not leak into a test from whoever runs it.
_NOT_PASSED_ON = (
    "CI",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "SCONSFLAGS",
    "MOCHI_RULES_DEBUG",
    "PYTEST_CURRENT_TEST",
)
_STEP = re.compile(r"\[ *(\d+)/(\d+)\] (\w+) +(\S+) *((?!still running).*)")


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    status: int
    out: str
    err: str

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        """The steps that were shown: verb, target, remark."""
        found = (_STEP.fullmatch(line) for line in self.out.splitlines())
        return [(match[3], match[4], match[5]) for match in found if match]

    @property
    def summary(self) -> str:
        """The closing line, without its time."""
        lines = [line for line in self.out.splitlines() if line.startswith("built ")]
        return re.sub(r" in \S+", "", lines[-1]) if lines else ""


@dataclass
class Project:
    """A directory with files, and a cache."""

    root: Path
    cache: Path
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files; the SConstruct is there."""
        for name, content in {"SConstruct": SCONSTRUCT, **files}.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def scons(self, *words: str, quiet: bool = True, folder: str = ".") -> Done:
        """Run scons, by default with `-Q`."""
        return self.run([*scons_command(), *(["-Q"] if quiet else []), *words], folder)

    def cli(self, *words: str) -> Done:
        """Run mochi-rules."""
        return self.run([sys.executable, "-m", "mochi_rules", *words])

    def run(self, command: Sequence[str], folder: str = ".") -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            command,
            cwd=self.root / folder,
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def variables(self) -> dict[str, str]:
        """Return the environment of a command."""
        passed_on = {k: v for k, v in os.environ.items() if k not in _NOT_PASSED_ON}
        return {
            **passed_on,
            "PYTHONPATH": str(REPOSITORY),
            "XDG_CACHE_HOME": str(self.cache),
            "XDG_DATA_HOME": f"{self.cache}-data",
            **self.environment,
        }

    def outputs(self, pattern: str = "build/**/*.*") -> dict[str, bytes]:
        """Return what was built, by path."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.glob(pattern))
            if path.is_file() and ".mochi" not in path.parts
        }


def scons_command() -> list[str]:
    """Return how scons is started with this interpreter."""
    return [sys.executable, "-m", "SCons"]
