"""The kernels: folders of `kernels/`, each with a program in Mochi, C and Go and its input.

A program reads one number, and prints one number. `size` is the number for measuring time, `small`
the one for counting instructions. Adding a kernel is adding a folder.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).with_name("kernels")
C = ("gcc", "-O2")


@dataclass(frozen=True)
class Kernel:
    """One kernel."""

    name: str
    folder: Path

    @property
    def size(self) -> bytes:
        """The input for measuring time."""
        return (self.folder / "size").read_bytes()

    @property
    def small(self) -> bytes:
        """The input for counting instructions: some 10 million of them."""
        return (self.folder / "small").read_bytes()

    def build(self, into: Path, optimize: str | None = None) -> dict[str, Path]:
        """Build an executable for each language whose compiler is installed."""
        built = {"mochi": self.build_mochi(into, optimize), "c": self.build_c(into)}
        if shutil.which("go"):
            built["go"] = into / f"{self.name}-go"
            go = ("go", "build", "-o", built["go"], self.folder / "kernel.go")
            subprocess.run(go, check=True)
        return built

    def build_c(self, into: Path) -> Path:
        """Build the executable of the program in C."""
        built = into / f"{self.name}-c"
        subprocess.run([*C, self.folder / "kernel.c", "-lm", "-o", built], check=True)
        return built

    def build_mochi(self, into: Path, optimize: str | None = None) -> Path:
        """Build the executable of the program in Mochi."""
        options = [] if optimize is None else [f"-O{optimize}"]
        return build_executable(self.folder / "kernel.mochi", into / f"{self.name}-mochi", options)


def build_executable(source: Path, built: Path, options: list[str]) -> Path:
    """Build the executable of a program or a module, and return it."""
    mochi = (sys.executable, "-m", "mochi_rules", "build", source, "--emit", "exe", "-o", built)
    ended = subprocess.run([*mochi, *options], check=False, capture_output=True)
    if ended.returncode:
        sys.exit(ended.stderr.decode())
    return built


def build_meter(into: Path) -> Path:
    """Build the program that runs the others and measures them, once; return it."""
    built = into / "measure"
    if not built.exists():
        subprocess.run([*C, Path(__file__).with_name("measure.c"), "-o", built], check=True)
    return built


def find_kernels(names: list[str]) -> list[Kernel]:
    """Return the kernels of these names, or all; raises SystemExit for a name without a folder."""
    known = sorted(path.parent.name for path in FOLDER.glob("*/kernel.mochi"))
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no kernel named {', '.join(unknown)}; there are {', '.join(known)}")
    return [Kernel(name, FOLDER / name) for name in names or known]
