"""Our own Rust programs as toolchains: installed, or for cargo to build.

The worker compiles for every platform. A launcher is of one platform, whose row has the target of
Rust that it is built for, and what links it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.platforms.native_files import (
    AOT_WORKER,
    CLIF,
    CLIF_WORKER,
    LAUNCHER,
    find_tool,
    is_intact,
    native_digest,
    native_sources,
    pinned_wasmtime,
    tool_name,
)
from mochi_rules.platforms.platform import ZIG
from mochi_rules.platforms.toolchain import Recipe, Toolchain, ToolchainType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.platforms.platform import Platform, RustTarget

_WORKER_MINUTES, _CLIF_MINUTES, _LAUNCHER_MINUTES = 4, 3, 2
_INSTALL_WORKER = "mochi-rules toolchain install aot"
_INSTALL_CLIF = "mochi-rules toolchain install native"
_RUST = "install Rust from https://rustup.rs"


def installed_worker(host: Platform) -> Toolchain:
    """Return the worker as it was built before on this machine."""
    path = find_tool(tool_name(AOT_WORKER, host.name))
    missing = _lacks_tool(path)
    remedy = "" if missing and _lacks_cargo()[0] else _INSTALL_WORKER
    return _worker(host, "installed", missing, remedy, command=(str(path),))


def cargo_worker(host: Platform) -> Toolchain:
    """Return the worker as cargo would build it."""
    path = find_tool(tool_name(AOT_WORKER, host.name))
    recipe = Recipe(AOT_WORKER, ".", "release", rust_host(), _WORKER_MINUTES, path)
    missing, remedy = _lacks_cargo()
    command = (str(recipe.path),)
    return _worker(host, "built by cargo", missing, remedy, command=command, recipe=recipe)


def _worker(
    host: Platform,
    origin: str,
    missing: str,
    remedy: str,
    *,
    command: tuple[str, ...],
    recipe: Recipe | None = None,
) -> Toolchain:
    return Toolchain(
        ToolchainType.AOT,
        AOT_WORKER,
        origin,
        exec=host.constraints,
        missing=missing,
        remedy=remedy,
        # Every tool of one version of Wasmtime makes the same bytes: the tool does not enter.
        identity=f"wasmtime {pinned_wasmtime()}",
        command=command,
        recipe=recipe,
    )


def clif_workers(host: Platform, *, may_build: bool = True) -> Iterator[Toolchain]:
    """Give the worker that compiles CLIF: as it was built before, and as cargo would build it.

    Its version is in the identity: its own code decides what is in an object besides machine code.
    """
    path = find_tool(tool_name(CLIF_WORKER, host.name))
    identity = f"clif-worker {native_digest(CLIF)}"
    made = partial(
        Toolchain, ToolchainType.CLIF, CLIF_WORKER, exec=host.constraints, identity=identity,
        command=(str(path),),
    )  # fmt: skip
    missing = _lacks_tool(path)
    remedy = "" if missing and _lacks_cargo()[0] else _INSTALL_CLIF
    yield made(origin="installed", missing=missing, remedy=remedy)
    if may_build:
        recipe = Recipe(
            CLIF_WORKER, ".", "release", rust_host(), _CLIF_MINUTES, path, CLIF
        )  # fmt: skip
        missing, remedy = _lacks_cargo()
        yield made(origin="built by cargo", missing=missing, remedy=remedy, recipe=recipe)


def installed_launcher(platform: Platform) -> Toolchain:
    """Return a platform's launcher as it was built before."""
    path = find_tool(tool_name(LAUNCHER, platform.name))
    return Toolchain(
        ToolchainType.LAUNCHER,
        LAUNCHER,
        "installed",
        target=platform.constraints,
        missing=_lacks_tool(path),
        remedy=f"mochi-rules toolchain install launcher --target {platform.name}",
        command=(str(path),),
    )


def cargo_launchers(platform: Platform) -> list[Toolchain]:
    """Return a platform's launchers as cargo would build them."""
    return [_cargo_launcher(platform, row) for row in platform.launchers]


def _cargo_launcher(platform: Platform, row: RustTarget) -> Toolchain:
    path = find_tool(tool_name(LAUNCHER, platform.name))
    missing, remedy = _lacks_cargo()
    if not missing:
        missing, remedy = _lacks_target(row)
    return Toolchain(
        ToolchainType.LAUNCHER,
        LAUNCHER,
        f"built by cargo for {row.triple}",
        target=platform.constraints,
        missing=missing,
        remedy=remedy,
        command=(str(path),),
        recipe=Recipe(LAUNCHER, "launcher", "launcher", row.triple, _LAUNCHER_MINUTES, path),
    )


def cargo_environment(triple: str) -> dict[str, str]:
    """Return what cargo needs besides this process's environment, to make the same bytes anywhere.

    Messages of panics name source files: the paths of this machine are taken out of them.
    """
    home = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    commit = next(
        (line.split()[1] for line in rust_version().splitlines() if line.startswith("commit-hash")),
        "unknown",
    )
    sources = Path(_output("rustc", "--print", "sysroot"), "lib", "rustlib", "src", "rust")
    flags = (
        f"--remap-path-prefix={home}/registry/src=/crates "
        f"--remap-path-prefix={sources}=/rustc/{commit}"
    )
    variables = {f"CARGO_TARGET_{triple.upper().replace('-', '_')}_RUSTFLAGS": flags}
    if zig := zig_command():
        variables["ZIG"] = shlex.join(zig)
    if "apple" in triple:  # Rust asks for an SDK, and Zig brings its own: any directory is accepted
        variables.setdefault("SDKROOT", os.environ.get("SDKROOT", os.sep))
    return variables


@cache
def rust_version() -> str:
    """Return what `rustc -vV` says, or an empty string when there is no Rust."""
    return _output("rustc", "-vV")


def rust_host() -> str:
    """Return the triple that Rust builds for by itself."""
    lines = rust_version().splitlines()
    return next((line.split()[1] for line in lines if line.startswith("host:")), "")


def _lacks_tool(path: Path) -> str:
    """Return what keeps a tool that was built before from being used; or an empty string."""
    if is_intact(path):
        return ""
    return "its file is damaged" if path.exists() else "it is not installed"


def _lacks_cargo() -> tuple[str, str]:
    """Return what keeps every program from being built, and what fixes it; or empty strings."""
    if not native_sources():
        return "its sources are missing", "pip install mochi-rules"
    if not shutil.which("cargo") or not rust_version():
        return "cargo is not on PATH, or does not run", _RUST
    return "", ""


def _lacks_target(row: RustTarget) -> tuple[str, str]:
    if not _has_rust_target(row.triple):
        return f"the Rust target `{row.triple}` is not installed", f"rustup target add {row.triple}"
    linker = row.linker
    is_there = zig_command() if linker == ZIG else shutil.which(linker.program)
    return ("", "") if is_there else (f"`{linker.program}` is not on PATH", linker.install)


@cache
def _has_rust_target(triple: str) -> bool:
    folder = _output("rustc", "--print", "target-libdir", "--target", triple)
    return bool(folder) and Path(folder).is_dir()


@cache
def zig_command() -> tuple[str, ...]:
    """Return the command of Zig, installed or of the Python package; empty where there is none."""
    from importlib.util import find_spec  # noqa: PLC0415 - of what Zig links only

    if given := os.environ.get("ZIG"):
        return tuple(shlex.split(given))
    if shutil.which("zig"):
        return ("zig",)
    package = find_spec("ziglang")
    # `python -m ziglang` starts it, too, and takes as long as Zig itself takes to link.
    return (str(Path(package.origin).with_name("zig")),) if package and package.origin else ()


def _output(*command: str) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return ended.stdout.strip()
