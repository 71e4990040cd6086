"""Mach-O objects, judged by LLVM's reader and linker."""

from __future__ import annotations

import pytest

from mochi_rules.aot.objects.writer import write_object
from mochi_rules.platforms.platform import find_platform

from .tools import PAYLOAD, run, tool

MACOS = [find_platform(name) for name in ("x86_64-macos", "aarch64-macos")]
both = pytest.mark.parametrize("platform", MACOS, ids=lambda row: row.name)

# A library that macOS' linkers want to see, as text.
SYSTEM = """--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ dyld_stub_binder ]
...
"""


@pytest.fixture
def path(platform, tmp_path):
    """An object with the payload at an alignment of 4096."""
    file = tmp_path / "app.o"
    file.write_bytes(write_object(platform, "app", PAYLOAD, 4096))
    return str(file)


@pytest.mark.slow
@both
def test_section_is_constant_text(path, tmp_path):
    """The payload is in `__TEXT,__const`, at its alignment, and only zeros follow it."""
    text = run(tool("llvm-objdump"), "--macho", "--private-headers", path)
    assert "sectname __const\n   segname __TEXT" in text
    assert "align 2^12 (4096)" in text
    content = tmp_path / "content"
    dump = f"--dump-section=__TEXT,__const={content}"
    run(tool("llvm-objcopy"), dump, path, str(tmp_path / "copy.o"))
    assert content.read_bytes().rstrip(b"\0") == PAYLOAD


@pytest.mark.slow
@both
def test_platform_and_version_are_named(platform, path):
    """LC_BUILD_VERSION says macOS, no later than what the architecture began with."""
    text = run(tool("llvm-objdump"), "--macho", "--private-headers", path)
    assert "cmd LC_BUILD_VERSION" in text
    assert "platform macos" in text
    assert f"minos {'10.13' if platform.cpu == 'x86_64' else '11.0'}" in text


@pytest.mark.slow
@both
def test_symbols_are_external_and_in_the_section(path):
    """Both symbols have their underscore, are external, and enclose the payload."""
    listing = run(tool("llvm-nm"), "--format=posix", path).splitlines()
    assert sorted(listing) == [f"_app_end S {len(PAYLOAD):x} 0", "_app_start S 0 0"]


@pytest.mark.slow
@both
def test_linker_takes_the_object(platform, path, tmp_path):
    """LLVM's linker takes the object into a library, warnings being fatal."""
    (tmp_path / "libSystem.tbd").write_text(SYSTEM)
    output = tmp_path / "app.dylib"
    arch = "arm64" if platform.cpu == "aarch64" else "x86_64"
    run(tool("ld64.lld", "ld64.lld-14"), "-arch", arch, "-platform_version", "macos", "11.0",
        "11.0", "-dylib", "-dead_strip", "-exported_symbol", "_app_start", "-exported_symbol",
        "_app_end", "-fatal_warnings", "-L", str(tmp_path), "-lSystem", "-o", str(output),
        path)  # fmt: skip
    assert output.read_bytes().count(PAYLOAD) == 1
    listing = run(tool("llvm-nm"), "--format=posix", "--extern-only", str(output)).splitlines()
    places = {line.split()[0]: int(line.split()[2], 16) for line in listing if "_app" in line}
    assert places["_app_end"] - places["_app_start"] == len(PAYLOAD)
    assert places["_app_start"] % 4096 == 0
