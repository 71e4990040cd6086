"""C compilers, for the launcher of bundles: one row for each, the first that is here is taken."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

from mochi_rules.aot.native_tools import zig_command
from mochi_rules.base.dataclass import dataclass
from mochi_rules.platforms.toolchain import Toolchain, ToolchainType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.platforms.platform import Platform


@dataclass(frozen=True, slots=True)
class CCompiler:
    """A compiler for one platform: `flags` are always given, `package` is what apt calls it."""

    platform: str
    program: str
    package: str
    flags: tuple[str, ...] = ()


CROSS_COMPILERS = (
    CCompiler("x86_64-linux", "x86_64-linux-gnu-gcc", "gcc-x86-64-linux-gnu"),
    CCompiler("aarch64-linux", "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
    # The linker would write the time into the file.
    CCompiler("x86_64-windows", "x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64",
              ("-Wl,--no-insert-timestamp",)),
)  # fmt: skip

# How Zig calls what is behind the architecture. The C library is the one that the wheel asks for.
ZIG_SYSTEMS = {"linux": "linux-gnu.2.17", "macos": "macos", "windows": "windows-gnu"}

_HOST_REMEDIES = {"linux": "apt-get install gcc", "macos": "xcode-select --install"}


def c_toolchains(platform: Platform, host: Platform) -> Iterator[Toolchain]:
    """Give the C compilers for a platform: the host's own, those of distributions, Zig.

    The command of each is to be continued with files. A compiler is asked for its version when its
    turn comes.
    """
    if platform == host and host.os in _HOST_REMEDIES:
        yield _on_path(platform, "cc", (), _HOST_REMEDIES[host.os])
    for row in CROSS_COMPILERS:
        if row.platform == platform.name:
            yield _on_path(platform, row.program, row.flags, f"apt-get install {row.package}")
    if platform.os in ZIG_SYSTEMS:
        target = f"{platform.cpu}-{ZIG_SYSTEMS[platform.os]}"
        words = zig_command().split()
        identity = f"zig {_first_line(*words, 'version')} for {target}" if words else ""
        command = (*words, "cc", "-target", target)
        yield _toolchain(platform, "zig", identity, command, "pip install ziglang")


def _on_path(platform: Platform, program: str, flags: tuple[str, ...], remedy: str) -> Toolchain:
    path = shutil.which(program)
    identity = " ".join((_first_line(path, "--version"), *flags)) if path else ""
    return _toolchain(platform, program, identity, (program, *flags), remedy)


def _toolchain(
    platform: Platform, name: str, identity: str, command: tuple[str, ...], remedy: str
) -> Toolchain:
    return Toolchain(
        ToolchainType.C,
        name,
        "C compiler",
        target=platform.constraints,
        missing="" if identity else f"`{name}` is not on PATH",
        remedy=remedy,
        identity=identity,
        command=command,
    )


@cache
def _first_line(*command: str) -> str:
    """Return the first line of what a command prints, or `unknown version`."""
    try:
        ended = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return "unknown version"
    return ended.stdout.decode("utf-8", "replace").strip().split("\n", 1)[0].strip()
