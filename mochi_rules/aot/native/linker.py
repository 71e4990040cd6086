"""How an executable is linked: the program's object, and what it imports, in C.

That is `toolchains/clif/host`: functions over the C library of the platform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform

# The first is compiled, and includes the others.
HOST_SOURCES = (
    "all.c", "host.c", "host.h", "library.c", "main.c", "system_posix.c", "system_windows.c",
    "trap.c",
)  # fmt: skip

# No segment that becomes read-only: in a static program it holds next to nothing, and takes a page.
_LINKING = {
    "elf": ("-static", "-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,-z,noexecstack",
            "-Wl,-z,norelro", "-lm"),
    "macho": ("-Wl,-dead_strip",),
    "coff": ("-Wl,--gc-sections", "-Wl,--stack,134217728"),
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


def link_arguments(
    platform: Platform, objects: tuple[str, ...], output: str, *, debug_info: bool
) -> tuple[str, ...]:
    """Return the arguments of a C compiler that link an executable.

    With `debug_info`, everything that debuggers read stays. Without, names of functions stay, but
    for Zig, which strips all.
    """
    # The level is Zig's for its C library: without one it is built for debugging, which takes
    # minutes, and `-Os` copies and fills memory byte by byte.
    release = ("-O2",) if debug_info else ("-O2", "-Wl,-S")
    return (*objects, "-o", output, *release, *_LINKING[platform.system.object_format])
