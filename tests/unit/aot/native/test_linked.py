"""Tests of what a linker made: the platform would run it."""

from __future__ import annotations

import pytest

from mochi_rules.aot.native.linked import require_sound_linked
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.platform import PLATFORMS, Platform
from tests.unit.aot.executable.files import LINUX, MACOS, make_elf, make_launcher, make_macho

INTERPRETER_AT = 64  # the type of the first segment, behind the header


@pytest.mark.parametrize("row", PLATFORMS, ids=lambda row: row.name)
def test_executable_of_the_platform_is_accepted(row: Platform) -> None:
    """And that of each other platform is refused."""
    data = make_launcher(row)
    require_sound_linked(row, data)
    for other in PLATFORMS:
        if other != row:
            with pytest.raises(MochiError, match=f"A122.*for `{row.cpu}`, expected .*{other.cpu}"):
                require_sound_linked(other, data)


def test_shared_library_is_refused() -> None:
    """It has no entry."""
    with pytest.raises(MochiError, match=r"A122.*is an ELF library"):
        require_sound_linked(LINUX, make_elf(LINUX, kind=3, entry=0))


def test_dynamic_executable_is_refused() -> None:
    """It would need libraries of the machine where it runs."""
    data = bytearray(make_elf(LINUX))
    data[INTERPRETER_AT] = 3
    with pytest.raises(MochiError, match=r"A122.*is linked dynamically"):
        require_sound_linked(LINUX, bytes(data))


def test_text_is_refused() -> None:
    """A script, for example."""
    with pytest.raises(MochiError, match=r"A122.*is not machine code"):
        require_sound_linked(LINUX, b"#!/bin/sh")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (make_macho(MACOS, signed=False), "A106.*no signature"),
        (make_macho(MACOS).replace(b"\xcc", b"\xcd"), "A111"),
    ],
    ids=["unsigned", "changed"],
)
def test_macho_without_a_valid_signature_is_refused(data: bytes, code: str) -> None:
    """Apple Silicon would kill it."""
    with pytest.raises(MochiError, match=code):
        require_sound_linked(MACOS, data)
