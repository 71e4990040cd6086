"""Operating systems: their formats, and what their tools and Wasmtime's wheel call things."""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class System:
    """An operating system.

    `host_name` is what Python calls it, in lower case; `triple_names` are the beginnings of its
    names in target triples. `object_format` is `elf`, `macho` or `coff`.

    `library` is the name of libwasmtime beside the launcher of a bundle, `wheel_library` that in
    Wasmtime's wheel and `wheel_name` the beginning of its directory there; `c_libraries` are what
    the launcher is linked with. `zig_name` follows the architecture in a target of Zig, and
    `zig_static` in that of a program that needs no shared library, where there is such a thing.
    `npm_name` is what npm calls the system. `install_cc` is the command that installs `cc`, None
    where there is none.
    """

    name: str
    host_name: str
    triple_names: tuple[str, ...]
    object_format: str
    library: str
    wheel_library: str
    wheel_name: str
    zig_name: str
    zig_static: str
    npm_name: str
    executable_suffix: str = ""
    c_libraries: tuple[str, ...] = ()
    install_cc: str | None = None


LINUX = System(
    name="linux",
    host_name="linux",
    triple_names=("linux",),
    object_format="elf",
    library="libwasmtime.so",
    wheel_library="_libwasmtime.so",
    wheel_name="linux",
    zig_name="linux-gnu.2.17",  # the C library that the wheel needs
    zig_static="linux-musl",
    npm_name="linux",
    c_libraries=("-pthread", "-ldl"),  # libraries of their own before glibc 2.34
    install_cc="apt-get install gcc",
)
MACOS = System(
    name="macos",
    host_name="darwin",
    triple_names=("darwin", "macosx", "ios", "tvos"),
    object_format="macho",
    library="libwasmtime.dylib",
    wheel_library="_libwasmtime.dylib",
    wheel_name="darwin",
    zig_name="macos",
    zig_static="macos",
    npm_name="darwin",
    install_cc="xcode-select --install",
)
WINDOWS = System(
    name="windows",
    host_name="windows",
    triple_names=("windows",),
    object_format="coff",
    library="wasmtime.dll",
    wheel_library="_wasmtime.dll",
    wheel_name="win32",
    zig_name="windows-gnu",
    zig_static="windows-gnu",
    npm_name="win32",
    executable_suffix=".exe",
)
