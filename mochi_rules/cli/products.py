"""From a file that the user named to WebAssembly, artifact and object, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.files import read_input, read_source
from mochi_rules.cli.step_console import install, run_shown
from mochi_rules.platforms.platform import host_platform
from mochi_rules.project.configuration import FOREIGN
from mochi_rules.project.folder import locate
from mochi_rules.project.sources import gather, require_text
from mochi_rules.steps.step import (
    CWASM,
    LAUNCHER,
    WASM,
    Step,
    aot_step,
    check_step,
    executable_step,
    import_input,
    import_step,
    mochi_step,
    object_step,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.base.span import Source
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.steps.pipeline import Pipeline
    from mochi_rules.steps.tools.tool_choice import Toolchains
    from mochi_rules.ui.console import Console

_MAGICS = {b"\0asm": ".wasm", b"\x7fELF": ".cwasm"}


def kind_of(path: Path) -> str:
    """Return `.mochi`, `.wasm`, `.wat` or `.cwasm`: by the file's name, or else its first bytes.

    Emits: B010.
    """
    if path.suffix in (".mochi", ".wasm", ".wat", ".cwasm"):
        return path.suffix
    return _MAGICS.get(read_input(path)[:4], ".mochi")


def read_binary(path: Path) -> bytes:
    """Read a file of whatever kind; WebAssembly text is assembled.

    Emits: A012, B010, B011.
    """
    if path.suffix != ".wat":
        return read_input(path)
    from mochi_rules.aot.wat_assembler import assemble  # noqa: PLC0415 - of texts only

    return assemble(read_source(path))


def read_program(path: Path, base: Path) -> dict[str, Source]:
    """Return the sources of a program by name, the main one first; `base` is where names start.

    Emits: B010 to B013, B024.
    """
    folder, name = locate(path, base)
    return gather([require_text(read_source(path, name))], folder.read)


@dataclass(slots=True)
class Products:
    """Makes what follows from one file; what was made is kept. `console` shows each step.

    `read` has all files that decided, by name, and `config` is what the artifact runs under. With
    `debug_info` the WebAssembly of a program has names and lines; its code is the same.
    """

    path: Path
    base: Path
    pipeline: Pipeline
    configuration: Configuration
    console: Console | None = None
    debug_info: bool = False
    toolchains: Toolchains | None = None
    read: dict[str, bytes] = field(default_factory=dict)
    config: EngineConfig = field(init=False)
    _made: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.config = self.configuration.engine(self._settings())

    def wasm(self) -> bytes:
        """Return the WebAssembly: compiled, or read and checked.

        Raises:
            MochiError: There is none to be had.
        """
        if WASM not in self._made:
            if kind_of(self.path) == ".mochi":
                sources = read_program(self.path, self.base)
                self.read = {name: source.text.encode() for name, source in sources.items()}
                step = mochi_step(
                    next(iter(sources)),
                    debug_names=self.debug_info or self.configuration.mode.debug_names,
                    debug_info=self.debug_info or self.config.debug_info,
                    optimize=self.configuration.optimize,
                )
                self._made[WASM] = self._run(step, ".wasm", self.read)
            else:
                data = self._read_self()
                name = str(self.path)
                inputs = {import_input(name): data}
                self._made[WASM] = self._run(import_step(name), ".wasm", inputs)
        return self._made[WASM]

    def lines(self) -> bytes:
        """Return the section `mochi.lines` of the WebAssembly; empty where there is none."""
        from mochi_rules.wasm.debug.lines import find_lines  # noqa: PLC0415 - of the first run only

        return find_lines(self._made[WASM]) if WASM in self._made else b""

    def artifact(self) -> bytes:
        """Return the artifact, checked.

        Raises:
            MochiError: There is none to be had, or it is not what is wanted here.
        """
        if CWASM not in self._made:
            if kind_of(self.path) == ".cwasm":
                data = self._read_self()
                self.config = self._config_of(data)
                inputs = {CWASM: data}
            else:
                wasm = self.wasm()
                self._prepare_compiler()
                is_mochi = kind_of(self.path) == ".mochi"
                name = f"{self.path.stem}.wasm" if is_mochi else str(self.path)
                data = self._run(aot_step(self.config, name), ".cwasm", {WASM: wasm})
                inputs = {CWASM: data, WASM: wasm}
            self._run(check_step(self.config, f"{self.path.stem}.cwasm"), ".cwasm", inputs)
            self._made[CWASM] = data
        return self._made[CWASM]

    def _config_of(self, data: bytes) -> EngineConfig:
        """Return the configuration under which an artifact of whatever settings loads.

        Emits: A020, A021.
        """
        from mochi_rules.elf.read import read_artifact  # noqa: PLC0415 - of artifacts only
        from mochi_rules.steps.expectations import settings_of  # noqa: PLC0415

        return self.configuration.loader(settings_of(read_artifact(data, str(self.path))))

    def object(self, symbol: str) -> bytes:
        """Return an object that holds the artifact.

        Raises:
            MochiError: As `artifact`; or the symbol cannot be one.
        """
        step = object_step(self.configuration.platform, symbol)
        return self._run(step, ".o", {CWASM: self.artifact()})

    def executable(self, *, is_bundle: bool = False) -> bytes:
        """Return the artifact attached to the platform's launcher, or to that of bundles.

        Raises:
            MochiError: As `artifact`; or there is no launcher.
        """
        platform = self.configuration.platform
        launcher = self._bundle_launcher() if is_bundle else self._launcher()
        step = executable_step(platform, self.configuration.launch(self._settings()))
        inputs = {CWASM: self.artifact(), LAUNCHER: launcher}
        if WASM in self._made:
            inputs[WASM] = self._made[WASM]
        return self._run(step, platform.system.executable_suffix, inputs)

    def library(self) -> tuple[str, bytes]:
        """Return name and content of what belongs beside the executable of a bundle.

        Raises:
            MochiError: There is none for the platform, or pip cannot fetch it.
        """
        from mochi_rules.aot.executable.bundle import bundle_system  # noqa: PLC0415 - of bundles
        from mochi_rules.steps.native.bundle import library_step  # noqa: PLC0415

        platform = self.configuration.platform
        name = bundle_system(platform).library
        return name, run_shown(self.pipeline, self.console, library_step(platform), name, {})

    def _launcher(self) -> bytes:
        resolution = self._tools().launcher(self.configuration.platform, may_build=True)
        install(resolution, self.pipeline, self.console)
        assert resolution.chosen is not None
        return read_input(Path(resolution.chosen.command[0]))

    def _bundle_launcher(self) -> bytes:
        from mochi_rules.steps.native.bundle import (  # noqa: PLC0415 - as above
            find_compiler,
            launcher_sources,
            launcher_step,
        )

        platform = self.configuration.platform
        step = launcher_step(platform, find_compiler(self._tools(), platform))
        sources = {name: read_input(path) for name, path in launcher_sources().items()}
        return run_shown(self.pipeline, self.console, step, LAUNCHER, sources)

    def _settings(self) -> Mapping[str, Any]:
        return FOREIGN if kind_of(self.path) in (".wasm", ".wat") else {}

    def _prepare_compiler(self) -> None:
        """Build the compiler of another platform, if that has to be done before."""
        platform = self.configuration.platform
        if platform != host_platform():
            install(self._tools().aot(platform), self.pipeline, self.console)

    def _tools(self) -> Toolchains:
        if self.toolchains is None:
            from mochi_rules.steps.tools.tool_choice import Toolchains  # noqa: PLC0415 - mostly not needed

            self.toolchains = Toolchains()
        return self.toolchains

    def _read_self(self) -> bytes:
        _, name = locate(self.path, self.base)
        data = read_input(self.path)
        self.read = {name: data}
        return data

    def _run(self, step: Step, suffix: str, inputs: Mapping[str, bytes]) -> bytes:
        return run_shown(self.pipeline, self.console, step, self.path.stem + suffix, inputs)
