"""C compilers, for the launcher of bundles: the first that this machine has is taken."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from typing import TYPE_CHECKING

from mochi_rules.aot.tools.native_tools import zig_command
from mochi_rules.platforms.platform import ZIG, CCompiler
from mochi_rules.platforms.toolchain import Toolchain, ToolchainType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.platforms.platform import Platform


def c_toolchains(platform: Platform, host: Platform) -> Iterator[Toolchain]:
    """Give the C compilers for a platform: the host's own, those of distributions, Zig.

    The command of each is to be continued with files. A compiler is asked for its version when its
    turn comes.
    """
    system = platform.system
    if platform == host and system.install_cc:
        yield _on_path(platform, CCompiler("cc", system.install_cc))
    if platform.gcc:
        yield _on_path(platform, platform.gcc)
    yield zig_compiler(platform, f"{platform.cpu}-{system.zig_name}")


def linkers(platform: Platform, host: Platform) -> Iterator[Toolchain]:
    """Give the C compilers that link executables without Wasmtime.

    Zig is the first: it has the C library of every platform, and musl, which makes the smallest
    static programs, and whoever has it has it for that.
    """
    system = platform.system
    yield zig_compiler(platform, f"{platform.cpu}-{system.zig_static}")
    if platform == host and system.install_cc:
        yield _on_path(platform, CCompiler("cc", system.install_cc))
    if platform.gcc:
        yield _on_path(platform, platform.gcc)


def zig_compiler(platform: Platform, target: str) -> Toolchain:
    """Return Zig as a C compiler for one of its targets."""
    words = zig_command()
    identity = f"zig {_first_line(*words, 'version')} for {target}" if words else ""
    command = (*words, "cc", "-target", target)
    return _toolchain(platform, ZIG, identity, command)


def _on_path(platform: Platform, compiler: CCompiler) -> Toolchain:
    path = shutil.which(compiler.program)
    identity = " ".join((_first_line(path, "--version"), *compiler.flags)) if path else ""
    return _toolchain(platform, compiler, identity, (compiler.program, *compiler.flags))


def _toolchain(
    platform: Platform, compiler: CCompiler, identity: str, command: tuple[str, ...]
) -> Toolchain:
    return Toolchain(
        ToolchainType.C,
        compiler.program,
        "C compiler",
        target=platform.constraints,
        missing="" if identity else f"`{compiler.program}` is not on PATH",
        remedy=compiler.install,
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
