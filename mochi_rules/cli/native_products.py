"""From a program to CLIF, object and executable, without Wasmtime, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.files import read_input
from mochi_rules.cli.products import read_program
from mochi_rules.cli.step_console import install, run_shown
from mochi_rules.steps.native import (
    CLIF,
    HOST,
    clif_step,
    host_sources,
    host_step,
    link_step,
    native_config,
    native_object_step,
)
from mochi_rules.steps.step import OBJECT, Step
from mochi_rules.steps.tools.tool_choice import Toolchains, chosen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mochi_rules.project.configuration import Configuration
    from mochi_rules.steps.pipeline import Pipeline
    from mochi_rules.ui.console import Console


@dataclass(slots=True)
class NativeProducts:
    """Makes what follows from one program; `base` is where the names of its sources start.

    `console` shows each step.
    """

    path: Path
    base: Path
    pipeline: Pipeline
    configuration: Configuration
    console: Console | None
    toolchains: Toolchains

    def clif(self) -> bytes:
        """Return the program in CLIF.

        Raises:
            MochiError: There is none to be had.
        """
        sources = read_program(self.path, self.base)
        step = clif_step(next(iter(sources)), optimize=self.configuration.optimize)
        inputs = {name: source.text.encode() for name, source in sources.items()}
        return self._run(step, ".clif", inputs)

    def object(self) -> bytes:
        """Return the program's object.

        Raises:
            MochiError: As `clif`; or there is no compiler for it.
        """
        clif = self.clif()
        install(self.toolchains.clif(), self.pipeline, self.console)
        step = native_object_step(native_config(self.configuration, {}), self.path.name)
        return self._run(step, ".o", {CLIF: clif})

    def executable(self) -> bytes:
        """Return the executable.

        Raises:
            MochiError: As `object`; or there is no linker for the platform, or it fails.
        """
        platform = self.configuration.platform
        compiler = chosen(self.toolchains.linker(platform))
        data = self.object()
        sources = {name: read_input(path) for name, path in host_sources().items()}
        host = self._run(host_step(platform, compiler), "", sources, HOST)
        step = link_step(native_config(self.configuration, {}), compiler)
        suffix = platform.system.executable_suffix
        return self._run(step, suffix, {OBJECT: data, HOST: host})

    def _run(self, step: Step, suffix: str, inputs: Mapping[str, bytes], name: str = "") -> bytes:
        shown = name or self.path.stem + suffix
        return run_shown(self.pipeline, self.console, step, shown, inputs)
