"""A process with two platforms more: a new architecture under Linux, and a new system.

Nothing but the tables of `mochi_rules.platforms` is changed, before anything else is imported.
Prints what follows from the rows, as JSON.
"""

from __future__ import annotations

import json
import sys

from mochi_rules.platforms import architecture, platform, system

LOONG64 = architecture.Architecture(
    name="loong64",
    host_names=("loongarch64",),
    triple_names=("loongarch64",),
    package_name="loong64",
    npm_name="loong64",
    endianness="little",
    elf_machine=258,
    elf_name="EM_LOONGARCH",
    object_flags=0x43,
    address_relocations=(2, 1),
    code_relocations=(),
    symbol_alignment=4,
    cpu_levels=(
        architecture.CpuLevel("la64v1.0", ()),
        architecture.CpuLevel("la64v1.1", ("has_div32",)),
    ),
    default_cpu_level="la64v1.0",
    isa_flags=("has_div32",),
    capstone=("CS_ARCH_MIPS", "CS_MODE_MIPS64"),
    instruction_size=5,
)
FREEBSD = system.System(
    name="freebsd",
    host_name="freebsd",
    triple_names=("freebsd",),
    object_format="elf",
    library="libwasmtime.so",
    wheel_library="_libwasmtime.so",
    wheel_name="freebsd",
    zig_name="freebsd.14",
    zig_static="freebsd.14",
    npm_name="freebsd",
    install_cc="pkg install gcc",
)
GCC = platform.CCompiler("loong64-linux-gnu-gcc", "apt-get install gcc-loong64-linux-gnu")
NEW = platform.Platform(
    LOONG64,
    system.LINUX,
    "loongarch64-unknown-linux-gnu",
    page_size=16384,
    launchers=(platform.RustTarget("loongarch64-unknown-linux-musl", GCC),),
    program_tag="manylinux_2_36_loongarch64",
    gcc=GCC,
    wheel_tag="manylinux2014_loong64",
)
UNIX = platform.Platform(
    architecture.X86_64,
    FREEBSD,
    "x86_64-unknown-freebsd",
    page_size=4096,
    launchers=(platform.RustTarget("x86_64-unknown-freebsd", platform.ZIG),),
    program_tag="freebsd_14_0_release_amd64",
)
architecture.ARCHITECTURES += (LOONG64,)
platform.PLATFORMS += (NEW, UNIX)


def derived() -> dict[str, object]:
    """Return what the rows lead to, by name."""
    from mochi_rules.aot.config import engine_config
    from mochi_rules.aot.executable.binary import identify
    from mochi_rules.aot.executable.bundle import wheel_library
    from mochi_rules.aot.objects.writer import write_object
    from mochi_rules.aot.tools import c_compilers, emulated, native_tools
    from mochi_rules.elf.object_files import read_object
    from mochi_rules.elf.schema import SCHEMAS
    from mochi_rules.elf.triple_layout import layout_of
    from mochi_rules.project.configuration import find_configurations
    from mochi_rules.release.archives.formats import FORMATS
    from mochi_rules.release.archives.wheel import wheel_name
    from mochi_rules.release.contents import Contents, File, Product

    host = platform.find_platform("x86_64-linux")
    written = write_object(NEW, "app", bytes(4096))
    image = read_object(written)
    layout, unix = layout_of(NEW.triple), layout_of(UNIX.triple)
    assert layout is not None
    assert unix is not None
    [launcher] = native_tools.cargo_launchers(NEW)
    assert launcher.recipe is not None
    [configuration] = find_configurations("loong64-linux", "", "la64v1.1")
    released = Contents(Product("app", "1.0.0", time=0), UNIX, (File("app", b""),), ())
    return {
        "host": platform.host_platform("LoongArch64", "Linux").name,
        "unix host": platform.host_platform("amd64", "FreeBSD").name,
        "all": [row.platform.name for row in find_configurations("all")][-2:],
        "output": configuration.name,
        "flags": engine_config(NEW, "la64v1.1").cpu.flags,
        "object": [image.format, image.cpu, int.from_bytes(written[48:52], "little")],
        "binary": str(identify(written)),
        "layout": [layout.machine, layout.page_size, unix.page_size],
        "schema": SCHEMAS[48].isa_flags["loongarch64"],
        "launcher": [launcher.recipe.triple, launcher.recipe.path.name.split("-")[:3]],
        "compilers": [row.name for row in c_compilers.c_toolchains(NEW, host)],
        "zig": [row.command[-1] for row in c_compilers.c_toolchains(UNIX, host)],
        "emulators": emulated.emulators(NEW),
        "emulated": [row.name for row in emulated.emulated_platforms(host)],
        "wheel": wheel_library(NEW),
        "packages": [row.name for row in FORMATS if row.fits(NEW)],
        "unix packages": [row.name for row in FORMATS if row.fits(UNIX)],
        "package": wheel_name(released),
    }


if __name__ == "__main__":
    json.dump(derived(), sys.stdout)
