"""What this machine has and lacks: one line for each need, with the command that fixes it."""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING

from mochi_rules import __version__
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.cache.directory import examine as examine_cache
from mochi_rules.platforms.native_files import is_intact
from mochi_rules.platforms.platform import PLATFORMS, host_platform
from mochi_rules.platforms.toolchain import remedy, what_lacks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.cache.tiers import Tier
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.toolchain import Resolution
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.steps.tools.tool_choice import Toolchains

_OK, _MISSING, _OPTIONAL = "ok", "missing", "none"
_OLDEST_PYTHON = (3, 11)
_PACKAGES = {"SCons": "scons>=4.9,<5", "pyelftools": "pyelftools>=0.31,<1"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One need: `state` is `ok` or what is wrong, `found` what is there, `remedy` what to type.

    What is `none` is not there either, and nothing that was asked for needs it.
    """

    need: str
    state: str
    found: str
    remedy: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done."""
        return self.state in (_OK, _OPTIONAL)


def examine(
    toolchains: Toolchains, configurations: Iterable[Configuration], cache: Tier
) -> list[Finding]:
    """Return what building for these configurations takes.

    When they are for this machine alone, all other platforms are reported too.
    """
    wanted = dict.fromkeys(configuration.platform for configuration in configurations)
    rows = PLATFORMS if list(wanted) == [host_platform()] else tuple(wanted)
    return [
        Finding("mochi_rules", "ok", __version__),
        _python(),
        *(_package(name, requirement) for name, requirement in _PACKAGES.items()),
        _host(),
        _cache(cache),
        *(_compiler(toolchains, row, is_wanted=row in wanted) for row in rows),
        *(_launcher(toolchains, row) for row in rows),
    ]


def render(findings: list[Finding]) -> str:
    """Return findings as aligned lines, ending in a newline."""
    width = max(len(finding.need) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.need:<{width}}  {finding.state:<8} {finding.found}".rstrip())
        if finding.remedy:
            lines.append(f"{'':<{width}}  help: {finding.remedy}")
    return "\n".join(lines) + "\n"


def _python() -> Finding:
    found = f"{platform.python_version()}  {sys.executable}"
    if sys.version_info >= _OLDEST_PYTHON:
        return Finding("Python", "ok", found)
    wanted = ".".join(map(str, _OLDEST_PYTHON))
    return Finding("Python", "too old", found, f"install Python {wanted} or newer")


def _package(name: str, requirement: str) -> Finding:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - takes 15 ms

    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(name, "missing", "", f"run `pip install '{requirement}'`")


def _host() -> Finding:
    try:
        return Finding("this machine", "ok", host_platform().name)
    except MochiError as error:
        return Finding("this machine", "unknown", error.diagnostics[0].message)


def _compiler(toolchains: Toolchains, platform: Platform, *, is_wanted: bool) -> Finding:
    need = f"compiler for {platform.name}"
    resolution = toolchains.aot(platform)
    return _finding(need, resolution, _MISSING if is_wanted else _OPTIONAL)


def _launcher(toolchains: Toolchains, platform: Platform) -> Finding:
    """An executable is optional: every program has its artifact and its object without one."""
    resolution = toolchains.launcher(platform, may_build=True)
    return _finding(f"launcher for {platform.name}", resolution, _OPTIONAL)


def _finding(need: str, resolution: Resolution, missing: str) -> Finding:
    chosen = resolution.chosen
    if chosen is None:
        lacking = what_lacks(resolution)
        reason = lacking.reason if lacking else "no tool compiles for it"
        return Finding(need, missing, reason, remedy(resolution) if lacking else "")
    recipe = chosen.recipe
    if recipe is None or is_intact(recipe.path):
        return Finding(need, _OK, f"{chosen.name} {chosen.identity or chosen.origin}")
    found = f"{chosen.name}, which cargo builds in about {recipe.minutes} minutes"
    return Finding(need, _OK, found)


def _cache(cache: Tier) -> Finding:
    if cache.root is None:
        return Finding("cache", "ok", "off")
    try:
        exists = examine_cache(cache.root)
    except MochiError as error:
        first = error.diagnostics[0]
        return Finding("cache", "unusable", first.message, first.help)
    if exists and not os.access(cache.root, os.W_OK):
        return Finding("cache", "ok", f"{cache.root} (read-only)")
    note = "" if exists else " (does not exist yet)"
    return Finding("cache", "ok", f"{cache.root}{note}")
