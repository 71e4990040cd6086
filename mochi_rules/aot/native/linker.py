"""How an executable is linked: the program's object, and what it imports, in C.

That is `toolchains/clif/host`: functions that call the system, under macOS through its library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform

# The first is compiled, and includes the others.
HOST_SOURCES = (
    "all.c", "host.c", "host.h", "library.c", "linux.c", "main.c", "memory.c", "system_posix.c",
    "system_windows.c", "trap.c",
)  # fmt: skip

# The script of the linker, beside them.
_LAYOUTS = {"elf": "linux.ld"}

_LINKING = {
    "elf": ("-nostdlib", "-static", "-Wl,--gc-sections", "-Wl,--eh-frame-hdr",
            "-Wl,--build-id=none", "-T", _LAYOUTS["elf"]),
    "macho": ("-Wl,-dead_strip",),
    "coff": ("-nostdlib", "-Wl,--gc-sections", "-Wl,--subsystem,console",
             "-Wl,-e,mainCRTStartup", "-Wl,--stack,134217728", "-lkernel32"),
}  # fmt: skip


def host_arguments(output: str, source: str = HOST_SOURCES[0]) -> tuple[str, ...]:
    """Return the arguments of a C compiler that make the host's object, beside its sources.

    `source` is what includes them. Nothing is kept for debuggers: that would hold the name of the
    directory.
    """
    flags = ("-std=gnu11", "-Os", "-fno-stack-protector", "-fno-asynchronous-unwind-tables",
             "-ffunction-sections", "-fdata-sections")  # fmt: skip
    return (*flags, "-c", source, "-o", output)


def library_arguments(output: str, source: str) -> tuple[str, ...]:
    """Return the arguments that make the object which C calls; a shared library may have it."""
    return (*host_arguments(output, source), "-fPIC", "-fvisibility=hidden")


def layouts(platform: Platform) -> tuple[str, ...]:
    """Return the files in the folder of the host's sources that are inputs of a link, too."""
    name = _LAYOUTS.get(platform.system.object_format)
    return (name,) if name else ()


def link_arguments(
    platform: Platform, objects: tuple[str, ...], output: str, *, debug_info: bool
) -> tuple[str, ...]:
    """Return the arguments of a C compiler that link an executable.

    With `debug_info`, everything that debuggers read stays. Without, names of functions stay, but
    for Zig under Windows, which keeps them in another file. For Linux nothing has to be stripped:
    no library is linked.
    """
    # The level is that of what Zig adds of its own: without one, it is for debugging.
    format_ = platform.system.object_format
    strip = () if debug_info or format_ == "elf" else ("-Wl,-S",)
    return (*objects, "-o", output, "-O2", *strip, *_LINKING[format_])
