"""The lock of a release: the versions of all Python packages that took part, with their hashes.

It is a file of requirements as `pip-compile --generate-hashes` and `uv pip compile` write it.
"""

from __future__ import annotations

import os
import re
import subprocess
import venv
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import environment_error, fail
from mochi_rules.release.circumstances import package_versions

if TYPE_CHECKING:
    from pathlib import Path

_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)
_HASH = b"--hash=sha256:"
_SHOWN_LINES = 8
# They would lead the interpreter of an environment back to this one.
_OURS = frozenset({"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"})


def check_lock(name: str, data: bytes) -> None:
    """Refuse a lock that is not of the environment of this process.

    Emits: R041.
    """
    text = data.decode("utf-8", "replace")
    pins = {_normal(package): version for package, version in _PIN.findall(text)}
    wrong = [
        f"{package} is {version} here, and " + (f"{pinned} in it" if pinned else "not in it")
        for package, version in package_versions().items()
        if (pinned := pins.get(_normal(package), "")) != version
    ]
    if _HASH not in data:
        wrong.append("it has no hashes")
    if wrong:
        message = f"`{name}` is not the lock of this environment"
        help_ = f"run `pip install --require-hashes -r {name}`, or write the lock again"
        raise fail("R041", message, notes=tuple(wrong), help=help_)


def make_environment(lock: Path, folder: Path) -> Path:
    """Make a virtual environment of what a lock lists; return its interpreter.

    Emits: R042 (a package is no longer available).
    """
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    words = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
             "--require-hashes", "-r", str(lock))  # fmt: skip
    done = subprocess.run(
        [str(python), *words], env=environment_variables(), capture_output=True, check=False
    )
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").splitlines()
        starts = [at for at, line in enumerate(lines) if line.startswith("ERROR: ")]
        first = starts[0] if starts else max(0, len(lines) - _SHOWN_LINES)
        raise environment_error(
            "R042",
            "the tools of the release cannot be installed any more",
            notes=tuple(lines[first : first + _SHOWN_LINES]),
            help="name an index that has them: `export PIP_INDEX_URL=URL`",
        )
    return python


def environment_variables() -> dict[str, str]:
    """Return the variables of a process in another environment than this one."""
    return {name: value for name, value in os.environ.items() if name not in _OURS}


def _normal(package: str) -> str:
    return re.sub("[-_.]+", "-", package).lower()
