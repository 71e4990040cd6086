"""The process of a batch: prints a line for each case and for how it ended."""

from __future__ import annotations

import faulthandler
import os
import random
import shutil
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.harness import BAD, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable


def main(kind: str, first: int, count: int) -> None:
    """Run cases; a module of the kind's name makes the function that runs one.

    That function takes a source of chance, and returns in a word how the case ended. If a case is
    a file, it is `input` in the folder; those with findings are copied to FAULTS_KEEP.
    """
    keep = os.environ.get("FAULTS_KEEP")
    with open(os.dup(1), "w", buffering=1) as report:  # noqa: PTH123 - cases may print
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        with tempfile.TemporaryDirectory(prefix="faults-") as folder:
            isolate(Path(folder))
            run = import_module(f"tests.faults.{kind}").prepare(Path(folder))
            for number in range(first, first + count):
                report.write(f"case {number}\n")
                end = judge(run, number)
                if keep and end.startswith(BAD) and (Path(folder) / "input").exists():
                    shutil.copy(Path(folder) / "input", Path(keep) / f"{kind}-{number}")
                report.write(f"{end}\n")
        report.write("end\n")


def judge(run: Callable[[random.Random], str], number: int) -> str:
    """Run a case, and return how it ended."""
    try:
        return run(random.Random(number))
    except Wrong as found:
        return f"wrong {' '.join(str(found).split())[:400]}"
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"traceback {describe(error)}"


def isolate(folder: Path) -> None:
    """Let nothing of the user be seen or changed."""
    faulthandler.enable()
    home = {"HOME": "home", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data", "TMPDIR": "tmp"}
    for name, place in home.items():
        (folder / place).mkdir()
        os.environ[name] = str(folder / place)
    os.environ["PYTHONPATH"] = str(Path.cwd())
    os.environ["MOCHI_RULES_DEBUG"] = "1"  # an internal error shows where
    os.environ.pop("CI", None)


def describe(error: Exception) -> str:
    """Return an error in a line, with the last place of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
    return f"{type(error).__name__} at {place}: {' '.join(str(error).split())[:300]}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
