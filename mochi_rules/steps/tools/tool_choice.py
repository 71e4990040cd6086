"""Which tool makes what for which platform: the registered toolchains, asked in order."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from mochi_rules.aot.tools.python_package import wheel_toolchain
from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.native_files import is_intact
from mochi_rules.platforms.platform import host_platform
from mochi_rules.platforms.toolchain import (
    POLICIES,
    Recipe,
    Resolution,
    Toolchain,
    ToolchainType,
    resolution_error,
    resolve,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mochi_rules.platforms.platform import Platform


@dataclass(slots=True)
class Toolchains:
    """The toolchains of a build. Those of the user stand before our own: the first that fits wins.

    `aot_path` is a `wasmtime` that the user named, and `policy` one of POLICIES. Nothing is looked
    for before it is asked for: where the wheel fits, no other tool is looked at.
    """

    user: tuple[Toolchain, ...] = ()
    aot_path: str = ""
    policy: str = "auto"
    _found: list[Toolchain] = field(default_factory=list)
    _sources: Iterator[Iterable[Toolchain]] | None = None
    _aot: dict[Platform, Resolution] = field(default_factory=dict)
    _launchers: dict[tuple[Platform, bool], Resolution] = field(default_factory=dict)

    def all(self) -> Iterator[Toolchain]:
        """Give every toolchain that compiles ahead of time, in the order they are asked."""
        if self._sources is None:
            self._sources = (make() for make in self._makers())
        yield from self._found
        for found in self._sources:
            self._found += found
            yield from found

    def _makers(self) -> Iterator[Callable[[], Iterable[Toolchain]]]:
        host = host_platform()
        yield lambda: self.user
        if self.aot_path:  # whoever names a tool wants that one, or to hear why it will not do
            yield lambda: _command_line(host, self.aot_path)
            return
        for name in POLICIES[self.policy]:
            yield partial(_TOOLS[name], host)

    def aot(self, platform: Platform) -> Resolution:
        """Return which toolchain compiles for a platform ahead of time, and which do not."""
        if platform not in self._aot:
            host = host_platform()
            self._aot[platform] = resolve(self.all(), ToolchainType.AOT, platform, host)
        return self._aot[platform]

    def aot_tool(self, platform: Platform) -> Toolchain:
        """Return the toolchain that compiles for a platform.

        Emits: C002 (no toolchain), C011 (unknown host).

        Raises:
            MochiError: There is none.
        """
        return chosen(self.aot(platform))

    def worker(self, host: Platform) -> Resolution:
        """Return our own worker, whatever else there is: installed, or for cargo to build."""
        found = (*_installed_worker(host), *_cargo_worker(host))
        return resolve(found, ToolchainType.AOT, host, host)

    def clif(self) -> Resolution:
        """Return what compiles CLIF, for every platform: our worker, installed or for cargo."""
        from mochi_rules.aot.tools.native_tools import clif_workers  # noqa: PLC0415 - as below

        host = host_platform()
        found = chain(self.user, clif_workers(host, may_build=self.policy == "auto"))
        return resolve(found, ToolchainType.CLIF, host, host)

    def clif_tool(self) -> Toolchain:
        """Return the toolchain that compiles CLIF.

        Emits: C002 (no toolchain), C011 (unknown host).

        Raises:
            MochiError: There is none.
        """
        return chosen(self.clif())

    def linker(self, platform: Platform) -> Resolution:
        """Return which C compiler links executables of a platform."""
        from mochi_rules.aot.tools.c_compilers import linkers  # noqa: PLC0415 - as below

        host = host_platform()
        found = chain(self.user, linkers(platform, host))
        return resolve(found, ToolchainType.C, platform, host)

    def wasmtime(self, platform: Platform) -> str | None:
        """Return the identity of the Wasmtime that compiles for a platform; None is the wheel's."""
        is_wheel = POLICIES[self.policy][0] == "wheel" and not self.user and not self.aot_path
        if is_wheel and platform == host_platform():
            return None
        resolution = self.aot(platform)
        return resolution.chosen.identity.removeprefix("wasmtime ") if resolution.chosen else ""

    def launcher(self, platform: Platform, *, may_build: bool) -> Resolution:
        """Return the launcher for executables of a platform, and why others are rejected.

        With `may_build`, one that has a recipe is accepted.
        """
        key = (platform, may_build)
        if key not in self._launchers:
            found = self._find_launchers(platform, may_build=may_build)
            host = host_platform()
            self._launchers[key] = resolve(found, ToolchainType.LAUNCHER, platform, host)
        return self._launchers[key]

    def _find_launchers(self, platform: Platform, *, may_build: bool) -> Iterable[Toolchain]:
        from mochi_rules.aot.tools.native_tools import (  # noqa: PLC0415 - of executables only
            cargo_launchers,
            installed_launcher,
        )

        yield installed_launcher(platform)
        if may_build and self.policy == "auto":
            yield from cargo_launchers(platform)


def pending(resolution: Resolution) -> Recipe | None:
    """Return the recipe of what was chosen, if it has to be built yet.

    Emits: as `Toolchains.aot_tool`.

    Raises:
        MochiError: Nothing was chosen.
    """
    toolchain = chosen(resolution)
    return None if is_built(toolchain) else toolchain.recipe


def is_built(toolchain: Toolchain) -> bool:
    """Return whether a tool is there, and not only the recipe to build it."""
    return toolchain.recipe is None or is_intact(toolchain.recipe.path)


def chosen(resolution: Resolution) -> Toolchain:
    """Return what was chosen.

    Emits: as `Toolchains.aot_tool`.

    Raises:
        MochiError: Nothing was.
    """
    if resolution.chosen is None:
        raise MochiError(resolution_error(resolution))
    return resolution.chosen


# Each is loaded when those before it do not fit.


def _installed_worker(host: Platform) -> Iterable[Toolchain]:
    from mochi_rules.aot.tools.native_tools import installed_worker  # noqa: PLC0415

    return (installed_worker(host),)


def _cargo_worker(host: Platform) -> Iterable[Toolchain]:
    from mochi_rules.aot.tools.native_tools import cargo_worker  # noqa: PLC0415

    return (cargo_worker(host),)


def _command_line(host: Platform, path: str = "") -> Iterable[Toolchain]:
    from mochi_rules.aot.tools.command_line import command_line_toolchains  # noqa: PLC0415

    return command_line_toolchains(host, path)


def _emulated(host: Platform) -> Iterable[Toolchain]:
    from mochi_rules.aot.tools.emulated import emulated_platforms, emulated_toolchain  # noqa: PLC0415

    return [emulated_toolchain(target, host) for target in emulated_platforms(host)]


_TOOLS: Mapping[str, Callable[[Platform], Iterable[Toolchain]]] = {
    "wheel": lambda host: (wheel_toolchain(host),),
    "worker": _installed_worker,
    "command": _command_line,
    "cargo": _cargo_worker,
    "emulated": _emulated,
}
