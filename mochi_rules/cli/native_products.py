"""From a program to CLIF, object and executable, without Wasmtime, step by step."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.files import read_input
from mochi_rules.cli.cache_root import cache_root
from mochi_rules.cli.products import read_program
from mochi_rules.cli.session import configuration_of, open_pipeline, toolchains_of
from mochi_rules.cli.step_console import install, run_shown
from mochi_rules.steps.engines.lazy_engines import LazyEngines
from mochi_rules.steps.native.c_library import (
    HEADER,
    SOURCE,
    exports_step,
    header_step,
    library_step,
    source_step,
)
from mochi_rules.steps.native.native_program import (
    CLIF,
    HOST,
    clif_step,
    host_sources,
    host_step,
    link_sources,
    link_step,
    native_config,
    native_object_step,
)
from mochi_rules.steps.step import OBJECT, Step
from mochi_rules.steps.tools.tool_choice import Toolchains, chosen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.aot.native.client import NativeConfig
    from mochi_rules.cli.options import Parsed
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.steps.pipeline import Pipeline
    from mochi_rules.ui.console import Console


@contextmanager
def open_native(
    parsed: Parsed, path: Path, console: Console | None = None, *, is_library: bool = False
) -> Iterator[NativeProducts]:
    """Give what is made of a program, or a library for C, by the tools of a command line.

    Emits: A120 (the configuration has limits).
    """
    toolchains = toolchains_of(parsed) or Toolchains()
    with open_pipeline(cache_root(parsed), LazyEngines(None, toolchains)) as pipeline:
        configuration = configuration_of(parsed)
        config = native_config(configuration, {}, is_library=is_library)
        yield NativeProducts(path, Path.cwd(), pipeline, configuration, config, console, toolchains)


@dataclass(slots=True)
class NativeProducts:
    """Makes what follows from one program; `base` is where the names of its sources start.

    `console` shows each step.
    """

    path: Path
    base: Path
    pipeline: Pipeline
    configuration: Configuration
    config: NativeConfig
    console: Console | None
    toolchains: Toolchains

    def clif(self) -> bytes:
        """Return the program in CLIF.

        Raises:
            MochiError: There is none to be had.
        """
        return self._clif(is_library=False)

    def object(self) -> bytes:
        """Return the program's object.

        Raises:
            MochiError: As `clif`; or there is no compiler for it.
        """
        return self._object(self.clif())

    def header(self) -> bytes:
        """Return the header of a library, of whose exported functions C can call each.

        Raises:
            MochiError: As `clif`; or C cannot call a function.
        """
        return self._run(header_step(self.path.stem), ".h", {CLIF: self._clif(is_library=True)})

    def library(self) -> tuple[bytes, bytes]:
        """Return the header of a library, and the library.

        Raises:
            MochiError: As `header` and `object`; or there is no C compiler for the platform.
        """
        platform = self.configuration.platform
        compiler = chosen(self.toolchains.linker(platform))
        clif = self._clif(is_library=True)
        data = self._object(clif)
        header = self._run(header_step(self.path.stem), ".h", {CLIF: clif})
        source = self._run(source_step(self.path.stem), ".c", {CLIF: clif})
        inputs = {**_texts(host_sources()), HEADER: header, SOURCE: source}
        host = self._run(exports_step(platform, compiler), "", inputs, HOST)
        return header, self._run(library_step(platform), ".a", {OBJECT: data, HOST: host})

    def _clif(self, *, is_library: bool) -> bytes:
        sources = read_program(self.path, self.base)
        main = next(iter(sources))
        exports = (main,) if is_library else ()
        step = clif_step(main, optimize=self.configuration.optimize, exports=exports)
        inputs = {name: source.text.encode() for name, source in sources.items()}
        return self._run(step, ".clif", inputs)

    def _object(self, clif: bytes) -> bytes:
        install(self.toolchains.clif(), self.pipeline, self.console)
        step = native_object_step(self.config, self.path.name)
        return self._run(step, ".o", {CLIF: clif})

    def executable(self) -> bytes:
        """Return the executable.

        Raises:
            MochiError: As `object`; or there is no linker for the platform, or it fails.
        """
        platform = self.configuration.platform
        compiler = chosen(self.toolchains.linker(platform))
        data = self.object()
        host = self._run(host_step(platform, compiler), "", _texts(host_sources()), HOST)
        step = link_step(self.config, compiler)
        suffix = platform.system.executable_suffix
        return self._run(step, suffix, {OBJECT: data, HOST: host, **_texts(link_sources(platform))})

    def _run(self, step: Step, suffix: str, inputs: Mapping[str, bytes], name: str = "") -> bytes:
        shown = name or self.path.stem + suffix
        return run_shown(self.pipeline, self.console, step, shown, inputs)


def _texts(paths: Mapping[str, Path]) -> dict[str, bytes]:
    return {name: read_input(path) for name, path in paths.items()}
