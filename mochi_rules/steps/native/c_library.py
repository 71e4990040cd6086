"""The steps from CLIF with exports to a static library and its header, for callers in C."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.native.c_header import print_header
from mochi_rules.aot.native.c_interface import read_interface
from mochi_rules.aot.native.c_source import print_source
from mochi_rules.aot.native.linker import library_arguments
from mochi_rules.formats.ar import static_library
from mochi_rules.steps.native.c_compilation import run_c_compiler
from mochi_rules.steps.native.native_program import CLIF, HOST
from mochi_rules.steps.step import OBJECT, Made, Step
from mochi_rules.ui.text import size_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.toolchain import Toolchain
    from mochi_rules.steps.engines.engines import Engines

# What the outputs are called inside a key. The source includes the header under its own name.
HEADER, SOURCE, LIBRARY = "library.h", "exports.c", "library.a"


def header_step(name: str) -> Step:
    """Write the header of a library; `name` begins the names in it. The input is CLIF."""

    def make(_engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        return Made(print_header(read_interface(name, inputs[CLIF])).encode())

    return Step("header", (f"--name={name}",), ("native",), HEADER, make)


def source_step(name: str) -> Step:
    """Write what is behind the header, in C; the input is CLIF."""

    def make(_engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        return Made(print_source(read_interface(name, inputs[CLIF]), HEADER).encode())

    return Step("source", (f"--name={name}",), ("native",), SOURCE, make)


def exports_step(platform: Platform, compiler: Toolchain) -> Step:
    """Compile what C calls; the inputs are HEADER, SOURCE and `host_sources`.

    Emits: C034.
    """
    flags = library_arguments(HOST, SOURCE)

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        return Made(run_c_compiler(engines.subprocesses, compiler, flags, inputs, HOST, SOURCE))

    arguments = (f"--platform={platform.name}", f"--compiler={compiler.identity}", *flags)
    return Step("cc", arguments, ("native",), HOST, make)


def library_step(platform: Platform) -> Step:
    """Put the objects of a library into an archive; the inputs are OBJECT and HOST.

    Emits: A021, A024 (an object cannot be decoded).
    """
    is_macho = platform.system.object_format == "macho"

    def make(_engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.elf.object_files import read_object  # noqa: PLC0415 - takes 30 ms

        prefix = "_" if is_macho else ""
        members = {name: inputs[name] for name in (OBJECT, HOST)}
        symbols = {
            name: [
                prefix + symbol.name
                for symbol in read_object(data, name).symbols
                if symbol.section is not None
            ]
            for name, data in members.items()
        }
        library = static_library(members, symbols, is_macho=is_macho)
        return Made(library, size_text(len(library)))

    return Step("ar", (f"--platform={platform.name}",), ("native",), LIBRARY, make)
