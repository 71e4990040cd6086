"""The steps of the native backend: a program to CLIF, to an object, to an executable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.native.client import NativeConfig
from mochi_rules.aot.native.linker import (
    HOST_SOURCES,
    host_arguments,
    layouts,
    link_arguments,
)
from mochi_rules.base.diagnostic import about, fail
from mochi_rules.platforms.cpu import find_cpu_level
from mochi_rules.platforms.native_files import CLIF as CLIF_TREE
from mochi_rules.platforms.native_files import c_sources, native_digest
from mochi_rules.steps.native.c_compilation import run_c_compiler
from mochi_rules.steps.step import EXECUTABLE_MODE, OBJECT, PROGRAM, Made, Step
from mochi_rules.ui.text import size_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mochi_rules.aot.executable.settings import RunSettings
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.toolchain import Toolchain
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.steps.engines.engines import Engines

# What the inputs and outputs are called inside a key.
CLIF, HOST = "program.clif", "host.o"


def native_config(
    configuration: Configuration, settings: Mapping[str, object], *, is_library: bool = False
) -> NativeConfig:
    """Return how a program of a configuration, or a library for C, is compiled.

    `settings` are those of its rule.

    Emits: A120 (limits, directories or settings of the engine, which need Wasmtime).
    """
    engine = configuration.engine(settings)
    _refuse_limits(configuration.run(settings), is_library=is_library)
    platform = configuration.platform
    cpu = find_cpu_level(platform, configuration.cpu)
    level = "none" if engine.opt_level == "none" else "speed"
    return NativeConfig(platform, cpu, level, configuration.mode.debug_names)


def _refuse_limits(run: RunSettings, *, is_library: bool) -> None:
    names = [*run.limits, *(("dirs",) if run.directories else ())]
    if not names:
        return
    subject, what = "`link=native`", "a native executable"
    help_ = f"leave out `{names[0]}`"
    if is_library:
        subject = what = "a library for C"
    else:
        help_ += ", or write `link=launcher`"
    note = f"{what} runs without Wasmtime, which enforces limits"
    raise fail("A120", f"{subject} has no `{names[0]}`", notes=(note,), help=help_)


def clif_step(
    main: str, *, optimize: int = 2, stamp: bool = False, exports: tuple[str, ...] = ()
) -> Step:
    """Compile a program to the text of CLIF; the inputs are its sources by name.

    With `stamp`, the program has a place for build information. C can call the exported functions
    of the sources `exports`.
    """

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.steps.engines.engines import MochiOptions  # noqa: PLC0415 - loads processes

        texts = {name: data.decode() for name, data in inputs.items()}
        options = MochiOptions(optimize=optimize, native=True, stamp=stamp, exports=exports)
        result = engines.compile_mochi(main, texts, options)
        return Made(result.code, warnings=result.warnings)

    flags: tuple[str, ...] = ("--native", "--stamp") if stamp else ("--native",)
    flags += tuple(f"--export={name}" for name in exports)
    arguments = (f"--main={main}", f"--optimize={optimize}", *flags)
    return Step("mochi", arguments, ("mochi",), CLIF, make)


def native_object_step(config: NativeConfig, name: str) -> Step:
    """Compile CLIF to an object, and check it; `name` is what the object calls the program.

    Emits: as `aot.native.client.compile_clif`; A025 (a check failed).
    """

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        with about(name):
            data = engines.compile_clif(config, name, inputs[CLIF])
        from mochi_rules.elf.checks.native_objects import require_sound_native  # noqa: PLC0415 - 30 ms
        from mochi_rules.steps.expectations import native_expectation  # noqa: PLC0415

        wanted = native_expectation(config.platform, config.cpu)
        require_sound_native(data, "the object", wanted)
        return Made(data, size_text(len(data)))

    fields = config.fields(name)
    arguments = (
        *(f"--{key}={value}" for key, value in fields.items()),
        f"--worker={native_digest(CLIF_TREE)}",
    )
    return Step("clif", arguments, ("native",), OBJECT, make)


def host_sources() -> dict[str, Path]:
    """Return the files that are the inputs of `host_step`, by name.

    Emits: C030.
    """
    return c_sources(*HOST_SOURCES, tree=CLIF_TREE, folder="host")


def link_sources(platform: Platform) -> dict[str, Path]:
    """Return the files that are inputs of `link_step` beside objects, by name.

    Emits: C030.
    """
    names = layouts(platform)
    return c_sources(*names, tree=CLIF_TREE, folder="host") if names else {}


def host_step(platform: Platform, compiler: Toolchain) -> Step:
    """Compile what native programs import; the inputs are `host_sources`.

    Emits: C034.
    """
    flags = host_arguments(HOST)

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        return Made(
            run_c_compiler(engines.subprocesses, compiler, flags, inputs, HOST, HOST_SOURCES[0])
        )

    arguments = (f"--platform={platform.name}", f"--compiler={compiler.identity}", *flags)
    return Step("cc", arguments, ("native",), HOST, make)


def link_step(config: NativeConfig, compiler: Toolchain) -> Step:
    """Link an executable, sign it for macOS, and check it.

    The inputs are OBJECT, HOST and `link_sources`.

    Emits: C036; as `aot.native.linked.require_sound_linked`.
    """
    output = PROGRAM + config.platform.system.executable_suffix
    objects = (HOST, OBJECT)  # in the order of their variables
    flags = link_arguments(config.platform, objects, output, debug_info=config.debug_info)

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        # Of this step only.
        from mochi_rules.aot.executable.macho_insert import sign  # noqa: PLC0415
        from mochi_rules.aot.native.linked import require_sound_linked  # noqa: PLC0415

        data = run_c_compiler(engines.subprocesses, compiler, flags, inputs, output)
        if config.platform.system.object_format == "macho":
            data = sign(config.platform, data, PROGRAM.encode())
        require_sound_linked(config.platform, data)
        return Made(data, size_text(len(data)))

    arguments = (f"--platform={config.platform.name}", f"--compiler={compiler.identity}", *flags)
    return Step("link", arguments, ("native",), PROGRAM, make, mode=EXECUTABLE_MODE)
