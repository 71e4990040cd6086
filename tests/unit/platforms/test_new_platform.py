"""A platform is a row: `made_up` adds two, and everything else follows from them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def derived():
    """Return what follows from the rows, as a process found it that began with them."""
    command = (sys.executable, "-m", "tests.unit.platforms.made_up")
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("host", "loong64-linux"),
        ("unix host", "x86_64-freebsd"),
        ("all", ["loong64-linux", "x86_64-freebsd"]),
        ("output", "loong64-linux-release-la64v1.1"),
        ("flags", ["has_div32"]),
        ("object", ["elf", "loong64", 0x43]),
        ("binary", "an ELF object for `loong64`"),
        ("layout", ["EM_LOONGARCH", 16384, 4096]),
        ("schema", ["has_div32"]),
        ("launcher", ["loongarch64-unknown-linux-musl", ["launcher", "loong64", "linux"]]),
        ("compilers", ["loong64-linux-gnu-gcc", "zig"]),
        ("zig", ["x86_64-freebsd.14"]),
        ("emulators", ["qemu-loong64-static", "qemu-loong64"]),
        ("emulated", ["aarch64-linux", "loong64-linux"]),
        ("wheel", "wasmtime/linux-loong64/_libwasmtime.so"),
        ("packages", ["tar.gz", "tar.zst", "zip", "wheel", "npm", "deb", "rpm", "oci"]),
        ("unix packages", ["tar.gz", "tar.zst", "zip", "wheel", "npm"]),
        ("package", "app-1.0.0-py3-none-freebsd_14_0_release_amd64.whl"),
    ],
)
def test_row_decides(derived, what, value):
    """Hosts, names, formats, numbers, CPU levels and tools come from the row alone."""
    assert derived[what] == value
