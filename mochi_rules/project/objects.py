"""What an object that `deps` names was made for: a note for the error, since none is linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mochi_rules.project.configuration import Configuration


def describe_object(path: Path, name: str, configurations: Sequence[Configuration]) -> str:
    """Return the platform and the CPU level of an object, and those of the build.

    It is empty for a file that is no object, and for one that is not there.
    """
    from mochi_rules.elf.checks.native_objects import level_of  # noqa: PLC0415 - takes 30 ms
    from mochi_rules.elf.object_files import read_object  # noqa: PLC0415

    try:
        image = read_object(path.read_bytes())
    except (OSError, MochiError):
        return ""
    rows = (
        row.name
        for row in PLATFORMS
        if (row.system.object_format, row.cpu) == (image.format, image.cpu)
    )
    level = level_of(image)
    found = _shown(next(rows, f"{image.cpu} in {image.format}"), level.name if level else "")
    wanted = ", ".join(_shown(item.platform.name, item.cpu) for item in configurations)
    return f"`{name}` is an object for {found}; the build is for {wanted}"


def _shown(platform: str, level: str) -> str:
    return f"{platform} at {level}" if level else platform
