"""Which tool compiles for which platform: the registered toolchains, asked once a platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mochi_rules.aot.wheel import wheel_toolchain
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import host_platform
from mochi_rules.platforms.toolchain import (
    Resolution,
    Toolchain,
    ToolchainType,
    resolution_error,
    resolve,
)

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform


@dataclass(slots=True)
class Toolchains:
    """The toolchains of a build. Those of the user stand before our own: the first that fits wins.

    Nothing is looked for before the first question.
    """

    user: tuple[Toolchain, ...] = ()
    _found: tuple[Toolchain, ...] | None = None
    _commands: dict[Platform, tuple[str, ...]] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Toolchain, ...]:
        """Every toolchain, in the order in which they are asked."""
        if self._found is None:
            self._found = (*self.user, wheel_toolchain(host_platform()))
        return self._found

    def aot(self, platform: Platform) -> Resolution:
        """Return which toolchain compiles for a platform ahead of time, and which do not."""
        return resolve(self.all, ToolchainType.AOT, platform, host_platform())

    def aot_command(self, platform: Platform) -> tuple[str, ...]:
        """Return the command of a worker for a platform.

        Emits: C002 (no toolchain), C011 (unknown host).

        Raises:
            MochiError: There is none.
        """
        if platform not in self._commands:
            resolution = self.aot(platform)
            if resolution.chosen is None:
                raise MochiError(resolution_error(resolution))
            self._commands[platform] = resolution.chosen.command
        return self._commands[platform]
