"""Engines that are made when they are first needed: a run that finds everything needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.platforms.platform import host_platform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.aot.native.client import NativeConfig
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.steps.engines.engines import Compiled, MochiOptions
    from mochi_rules.steps.engines.kept_runtime import KeptRuntime
    from mochi_rules.steps.engines.local_engines import LocalEngines
    from mochi_rules.steps.processes.subprocesses import Subprocesses
    from mochi_rules.steps.tools.tool_choice import Toolchains


class LazyEngines:
    """As `LocalEngines`, loaded by the first call."""

    def __init__(
        self, platform: Platform | None = None, toolchains: Toolchains | None = None
    ) -> None:
        self._platform, self._toolchains = platform, toolchains
        self._made: LocalEngines | None = None
        self._kept: KeptRuntime | None = None

    @property
    def subprocesses(self) -> Subprocesses:
        """The programs that run now."""
        return self._engines().subprocesses

    def start(self) -> None:
        """Start what compiles for the platform, without waiting for it."""
        self._engines().start()

    def use(self, kept: KeptRuntime) -> None:
        """Let the compiler use runtime functions of earlier processes."""
        self._kept = kept
        if self._made is not None:
            self._made.kept = kept

    def compile_mochi(
        self, main: str, sources: Mapping[str, str], options: MochiOptions
    ) -> Compiled:
        """Compile a program."""
        return self._engines().compile_mochi(main, sources, options)

    def compile_wasm(self, config: EngineConfig, wasm: bytes) -> bytes:
        """Compile ahead of time."""
        return self._engines().compile_wasm(config, wasm)

    def check_artifact(
        self, config: EngineConfig, name: str, artifact: bytes, wasm: bytes | None
    ) -> bytes:
        """Check an artifact."""
        return self._engines().check_artifact(config, name, artifact, wasm)

    def compile_clif(self, config: NativeConfig, name: str, clif: bytes) -> bytes:
        """Compile CLIF to an object."""
        return self._engines().compile_clif(config, name, clif)

    def wasmtime(self, platform: Platform) -> str | None:
        """Return as `Toolchains.wasmtime`; mostly without any."""
        if self._toolchains is None and platform == host_platform():
            return None
        return self._engines().wasmtime(platform)

    def close(self) -> None:
        """End what was started."""
        if self._made is not None:
            self._made.close()

    def _engines(self) -> LocalEngines:
        if self._made is None:
            from mochi_rules.steps.engines.local_engines import (  # noqa: PLC0415 - what this is for
                LocalEngines,
            )
            from mochi_rules.steps.tools.tool_choice import Toolchains  # noqa: PLC0415

            self._made = LocalEngines(self._toolchains or Toolchains(), self._platform)
            self._made.kept = self._kept
        return self._made
