"""What a file of machine code is, told from its headers."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import wasmtime

from mochi_rules.aot.executable.binary import Binary, identify
from mochi_rules.aot.executable.bundle import wheel_library
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import host_platform

from .files import ALL, LINUX, MACOS, WINDOWS, make_artifact, make_launcher


@pytest.mark.parametrize("platform", ALL, ids=lambda row: row.name)
def test_executable_of_every_platform_is_known(platform):
    """Format, role and architecture are those of the platform."""
    found = identify(make_launcher(platform))
    assert found == Binary(platform.system.object_format, "executable", platform.cpu)


def test_library_of_the_wheel_is_known():
    """A real library is one, for this machine."""
    host = host_platform()
    library = Path(wasmtime.__file__).parent.parent / wheel_library(host)
    found = identify(library.read_bytes())
    assert found == Binary(host.system.object_format, "library", host.cpu)


def test_artifact_is_an_object():
    """What is to be attached is not taken for a launcher."""
    assert identify(make_artifact(LINUX)) == Binary("elf", "object", "x86_64")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (make_launcher(MACOS, filetype=6), "a Mach-O library for `aarch64`"),
        (make_launcher(MACOS, filetype=9), "a Mach-O file for `aarch64`"),
        (
            make_launcher(WINDOWS).replace(b"\x64\x86", b"\x4c\x01", 1),
            "a PE executable for another",
        ),
        (b"MZ".ljust(300, b"\0"), "a PE file for another architecture"),
        (b"\xca\xfe\xba\xbe", "a universal Mach-O file for another architecture"),
    ],
)
def test_other_files_are_reported_by_what_they_are(data, words):
    """The words are those of messages."""
    assert str(identify(data)).startswith(words)


@pytest.mark.parametrize("offset", [1 << 20, (1 << 63) - 1, (1 << 64) - 1])
def test_headers_behind_the_end_are_damage(offset):
    """No offset leads outside the file, however large it is."""
    data = bytearray(make_launcher(LINUX))
    struct.pack_into("<Q", data, 32, offset)
    with pytest.raises(MochiError, match="A106: the file ends before its headers do"):
        identify(bytes(data))
