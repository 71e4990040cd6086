"""The layout of a target agrees with the table of platforms, and with real artifacts."""

from __future__ import annotations

import pytest
from elftools.elf.enums import ENUM_E_MACHINE

from mochi_rules.elf.triple_layout import layout_of
from mochi_rules.platforms.platform import PLATFORMS


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_layout_agrees_with_the_platform(platform) -> None:
    """Two tables, from two sources, say the same of every platform."""
    layout = layout_of(platform.triple)

    assert layout is not None
    assert ENUM_E_MACHINE[layout.machine] == platform.architecture.elf_machine
    assert layout.little_endian == (platform.architecture.endianness == "little")
    assert layout.page_size == layout.text_alignment == platform.page_size
    assert layout.is_windows == (platform.os == "windows")
    assert not layout.is_pulley


def test_pulley_is_marked() -> None:
    """Pulley code has no processor: a bit of its own, the largest page, no alignment of code."""
    layout = layout_of("pulley64be-unknown-unknown-elf")

    assert layout is not None
    assert (layout.pulley_flag, layout.page_size, layout.text_alignment) == (8, 65536, 1)
    assert not layout.little_endian


@pytest.mark.parametrize("triple", ["", "-", "sparc-sun-solaris", "x86_64x-unknown-linux"])
def test_unknown_architecture_has_no_layout(triple: str) -> None:
    """What is not in the table has no layout."""
    assert layout_of(triple) is None


def test_short_triple_has_a_layout() -> None:
    """An architecture alone is laid out as for a system nobody knows."""
    layout = layout_of("aarch64")

    assert layout is not None
    assert layout.page_size == 65536
