"""Tests of where native tools have their sources."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

from mochi_rules.aot.native.linker import HOST_SOURCES, layouts
from mochi_rules.platforms.native_files import (
    CLIF,
    NATIVE,
    native_digest,
    native_directory,
    native_sources,
    pinned_wasmtime,
)
from mochi_rules.platforms.platform import PLATFORMS

ROOT = Path(__file__).parents[3]


def test_checkout_has_the_sources() -> None:
    """Both programs are there, and what a build leaves behind is not among them."""
    assert native_directory() == ROOT / "toolchains" / "native"
    names = native_sources()
    assert {"Cargo.lock", "aot-worker/src/main.rs", "launcher/.cargo/config.toml"} <= set(names)
    assert not any(name.startswith("target/") for name in names)
    assert len(native_digest()) == 16


def test_host_is_complete() -> None:
    """Every file of the host in C is a source of its step, or of the link; no other is."""
    folder = native_directory(CLIF) / "host"
    linked = {name for row in PLATFORMS for name in layouts(row)}
    assert sorted(path.name for path in folder.iterdir()) == sorted({*HOST_SOURCES, *linked})


def test_both_workspaces_have_one_cranelift() -> None:
    """The worker for CLIF has the release that belongs to Wasmtime's."""
    locks = [native_sources(tree)["Cargo.lock"].decode() for tree in (NATIVE, CLIF)]
    pattern = re.compile(r'name = "cranelift-codegen"\nversion = "(.*)"')
    versions = {pattern.search(lock)[1] for lock in locks}
    assert len(versions) == 1


def test_lock_pins_wasmtime() -> None:
    """The version is of the major that the package takes."""
    assert pinned_wasmtime().startswith("48.")


def test_package_carries_everything_that_is_read() -> None:
    """Every source of a native tool, pins and licence are data files of the installed package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    files = project["tool"]["setuptools"]["data-files"]
    patterns = [pattern for each in files.values() for pattern in each]
    bundle = [path.name for path in (ROOT / "toolchains/native/bundle").iterdir()]
    wanted = [
        "LICENSE",
        "toolchains/versions.toml",
        *(f"toolchains/native/{name}" for name in native_sources()),
        *(f"toolchains/native/bundle/{name}" for name in bundle),
        *(f"toolchains/clif/{name}" for name in native_sources(CLIF)),
        *(f"toolchains/clif/host/{name}" for name in HOST_SOURCES),
    ]
    assert [name for name in wanted if not any(fnmatch(name, p) for p in patterns)] == []
    for target, each in files.items():
        folder = target.removeprefix("share/mochi_rules").removeprefix("/")
        assert all(pattern.rpartition("/")[0] == folder for pattern in each)
