"""What `diffoscope` says of two files, where it is installed: https://diffoscope.org."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from mochi_rules.base.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

_OPTIONS = ("--no-progress", "--timeout", "60", "--text", "-")
_MAX_LINES = 60


def diffoscope(old: Path, new: Path) -> list[str]:
    """Return the first lines of its report; none where it is not installed, or fails."""
    program = shutil.which("diffoscope")
    if program is None:
        return []
    done = subprocess.run([program, *_OPTIONS, old, new], capture_output=True, check=False)
    text = printable(done.stdout.decode("utf-8", "replace"), keep_lines=True)
    lines = text.splitlines()
    if not lines:
        return []
    left = len(lines) - _MAX_LINES
    more = [f"and {left} more lines"] if left > 0 else []
    return ["diffoscope:", *(f"  {line}" for line in [*lines[:_MAX_LINES], *more])]
