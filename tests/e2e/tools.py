"""The native tools, built once by cargo and installed where a project finds them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.digest import digest_bytes
from mochi_rules.platforms.native_files import (
    AOT_WORKER,
    CLIF_WORKER,
    LAUNCHER,
    digest_path,
    native_digest,
    tool_name,
)
from mochi_rules.platforms.platform import find_platform, host_platform
from tests.native.building import (
    build_aot_worker,
    build_clif_worker,
    build_launcher,
    has_rust_target,
)
from tests.unit.aot.executable.files import make_launcher

if TYPE_CHECKING:
    from pathlib import Path


def install_worker(data: Path) -> None:
    """Install the compiler for all platforms."""
    content = build_aot_worker().read_bytes()
    install_file(data, tool_name(AOT_WORKER, host_platform().name), content)


def install_clif_worker(data: Path) -> None:
    """Install the compiler of executables without Wasmtime."""
    content = build_clif_worker().read_bytes()
    install_file(data, tool_name(CLIF_WORKER, host_platform().name), content)


def install_launcher(data: Path, platform: str) -> None:
    """Install the launcher of a platform, for the first target that Rust has here."""
    for row in find_platform(platform).launchers:
        if has_rust_target(row.triple):
            content = build_launcher(row.triple).read_bytes()
            install_file(data, tool_name(LAUNCHER, platform), content)
            return
    pytest.skip(f"Rust has no library for {platform}")


def install_made_up_launcher(data: Path, platform: str) -> None:
    """Install what passes for a launcher where no program is run, with a crate that it has."""
    crate = {"name": "wasmtime", "version": "48.0.8", "license": "Apache-2.0", "checksum": "",
             "texts": ["Apache"]}  # fmt: skip
    contents = {
        tool_name(LAUNCHER, platform): make_launcher(find_platform(platform)),
        f"crates-{platform}-{native_digest()}.json": json.dumps([crate]).encode(),
    }
    for name, content in contents.items():
        install_file(data, name, content)


def install_file(data: Path, name: str, content: bytes) -> None:
    """Install what passes for a tool."""
    path = data / "mochi_rules" / "tools" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    digest_path(path).write_text(digest_bytes(content).hash)
