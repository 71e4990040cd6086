"""The native tools that are installed here, as wheels: who installs them needs no Rust."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules import __version__
from mochi_rules.base.diagnostic import environment_error
from mochi_rules.platforms.native_files import (
    AOT_WORKER,
    CLIF_WORKER,
    LAUNCHER,
    digest_path,
    find_tool,
    is_intact,
    tool_name,
)
from mochi_rules.platforms.platform import PLATFORMS, host_platform
from mochi_rules.release.archives.wheel import WheelName, pack
from mochi_rules.release.bom.crates import crates_path, launcher_crates
from mochi_rules.release.contents import FILE_MODE, PROGRAM_MODE, File

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mochi_rules.platforms.platform import Platform

_LAUNCHERS, _TOOLS = "mochi-rules-launchers", "mochi-rules-tools"
_PLACE = "data/data/share/mochi_rules/tools"  # of `platforms.native_files.find_tool`


def tool_wheels(time: int) -> dict[str, bytes]:
    """Return the wheels by name: all launchers, for any machine, and the tools for this one.

    Emits: R023 (the licences of a launcher are not known), R036 (nothing is installed).
    """
    host = host_platform()
    found: dict[str, bytes] = {}
    rows = [row for row in PLATFORMS if _installed(LAUNCHER, row)]
    launchers = [path for row in rows for path in _installed(LAUNCHER, row)]
    notices = [_notices(row) for row in rows]
    workers = [path for program in (AOT_WORKER, CLIF_WORKER) for path in _installed(program, host)]
    for name, tag, paths in (
        (_LAUNCHERS, "any", [*launchers, *notices]),
        (_TOOLS, host.program_tag, workers),
    ):
        if paths:
            wheel = WheelName(name, __version__, tag)
            found[wheel.file] = pack(wheel, _fields(), _files(wheel, paths), time)
    if not found:
        message = "there are no native tools to pack"
        raise environment_error(
            "R036", message, help="run `mochi-rules toolchain install launcher`"
        )
    return found


def _installed(program: str, platform: Platform) -> list[Path]:
    """Return the one file of a program, or none where it is not installed or damaged."""
    path = find_tool(tool_name(program, platform.name))
    return [path] if is_intact(path) else []


def _notices(platform: Platform) -> Path:
    """Return the file with the licences of a launcher; it is made where it is not there."""
    launcher_crates(platform)
    return crates_path(platform)


def _fields() -> list[tuple[str, str]]:
    return [("Summary", "Native tools of mochi_rules"), ("License-Expression", "MIT"),
            ("Requires-Dist", f"mochi-rules=={__version__}")]  # fmt: skip


def _files(wheel: WheelName, paths: Iterable[Path]) -> list[File]:
    """Return tools and their digests as files of a wheel."""
    return [
        File(
            f"{wheel.stem}.{_PLACE}/{item.name}",
            item.read_bytes(),
            FILE_MODE if item.suffix in (".sha256", ".json") else PROGRAM_MODE,
        )
        for path in paths
        for item in (path, digest_path(path))
    ]
