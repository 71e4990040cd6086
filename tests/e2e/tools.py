"""The native tools, built once by cargo and installed where a project finds them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.digest import digest_bytes
from mochi_rules.platforms.native import CLIF, digest_path, native_digest, native_directory
from mochi_rules.platforms.native import NATIVE as NATIVE_TREE
from mochi_rules.platforms.platform import find_platform, host_platform
from tests.native.building import HOST, NATIVE, cargo_build, has_rust_target
from tests.unit.aot.executable.files import make_launcher

if TYPE_CHECKING:
    from pathlib import Path


def install_worker(data: Path) -> None:
    """Install the compiler for all platforms."""
    built = cargo_build(NATIVE, HOST, "--release") / "release" / "aot-worker"
    _install(built, data, f"aot-worker-{host_platform().name}")


def install_clif_worker(data: Path) -> None:
    """Install the compiler of executables without Wasmtime."""
    directory = native_directory(CLIF)
    assert directory
    built = cargo_build(directory, HOST, "--release") / "release" / "clif-worker"
    _install(built, data, f"clif-worker-{host_platform().name}", CLIF)


def install_launcher(data: Path, platform: str) -> None:
    """Install the launcher of a platform, for the first target that Rust has here."""
    for row in find_platform(platform).launchers:
        if has_rust_target(row.triple):
            built = cargo_build(NATIVE / "launcher", row.triple, "--profile", "launcher")
            _install(built / "launcher" / "launcher", data, f"launcher-{platform}")
            return
    pytest.skip(f"Rust has no library for {platform}")


def install_made_up_launcher(data: Path, platform: str) -> None:
    """Install what passes for a launcher where no program is run, with a crate that it has."""
    folder = data / "mochi_rules" / "tools"
    crate = {"name": "wasmtime", "version": "48.0.8", "license": "Apache-2.0", "checksum": "",
             "texts": ["Apache"]}  # fmt: skip
    contents = {
        f"launcher-{platform}-{native_digest()}": make_launcher(find_platform(platform)),
        f"crates-{platform}-{native_digest()}.json": json.dumps([crate]).encode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        digest_path(folder / name).write_text(digest_bytes(content).hash)


def _install(built: Path, data: Path, name: str, tree: str = NATIVE_TREE) -> None:
    kept = data / "mochi_rules" / "tools" / f"{name}-{native_digest(tree)}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(built, kept)
    digest_path(kept).write_text(digest_bytes(kept.read_bytes()).hash)
