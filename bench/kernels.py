"""The kernels: folders of `kernels/`, each with a program in Mochi, C and Go and its input.

A program reads one number, `size`, and prints one number. Adding a kernel is adding a folder.
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
    """One kernel: its folder, and the executables that were built of it, by language."""

    name: str
    folder: Path
    size: bytes

    def build(self, into: Path, optimize: str | None = None) -> dict[str, Path]:
        """Build an executable for each language whose compiler is installed."""
        built = {"mochi": into / f"{self.name}-mochi", "c": into / f"{self.name}-c"}
        mochi = [sys.executable, "-m", "mochi_rules", "build", self.folder / "kernel.mochi"]
        mochi += ["--emit", "exe", "-o", built["mochi"]]
        if optimize is not None:
            mochi.append(f"-O{optimize}")
        subprocess.run(mochi, check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*C, self.folder / "kernel.c", "-lm", "-o", built["c"]], check=True)
        if shutil.which("go"):
            built["go"] = into / f"{self.name}-go"
            go = ["go", "build", "-o", built["go"], self.folder / "kernel.go"]
            subprocess.run(go, check=True)
        return built


def find_kernels(names: list[str]) -> list[Kernel]:
    """Return the kernels of these names, or all; raises SystemExit for a name without a folder."""
    known = sorted(path.parent.name for path in FOLDER.glob("*/kernel.mochi"))
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"no kernel named {', '.join(unknown)}; there are {', '.join(known)}")
    return [
        Kernel(name, FOLDER / name, (FOLDER / name / "size").read_bytes())
        for name in names or known
    ]
