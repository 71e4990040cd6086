"""CPU levels."""

from __future__ import annotations

from itertools import pairwise

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.architecture import ARCHITECTURES
from mochi_rules.platforms.cpu import find_cpu_level
from mochi_rules.platforms.platform import PLATFORMS, find_platform

X86 = find_platform("x86_64-linux")
ALL = [level for row in ARCHITECTURES for level in row.cpu_levels]
BY_NAME = {level.name: level for level in ALL}


def test_names_are_unique():
    """No two levels share a name, so that a name alone finds a level."""
    assert len(BY_NAME) == len(ALL)


@pytest.mark.parametrize("row", ARCHITECTURES, ids=lambda row: row.name)
def test_levels_of_an_architecture_grow(row):
    """Each level holds every feature of the one before it, and no feature twice."""
    levels = row.cpu_levels
    assert levels[0].flags == ()
    for lower, higher in pairwise(levels):
        assert set(lower.flags) < set(higher.flags)
        assert len(set(higher.flags)) == len(higher.flags)


def test_x86_levels_have_avx():
    """v3 and v4 name the AVX flags which Cranelift's presets leave out."""
    assert "has_avx" in BY_NAME["x86-64-v3"].flags
    assert {"has_avx", "has_avx512f"} < set(BY_NAME["x86-64-v4"].flags)


@pytest.mark.parametrize("row", PLATFORMS, ids=lambda row: row.name)
def test_empty_text_is_the_default(row):
    """No level given means the platform's default."""
    assert find_cpu_level(row).name == row.architecture.default_cpu_level


@pytest.mark.parametrize(
    ("text", "code", "help_text"),
    [
        ("x86-64-v5", "C012", "did you mean"),
        ("haswell", "C012", "cpu=x86-64-v2"),
        ("native", "C012", "cpu=x86-64-v2"),
        ("armv8.2", "C013", "cpu=x86-64-v2"),
    ],
)
def test_wrong_level_is_refused_with_help(text, code, help_text):
    """An unknown level, and one of another architecture, say what to type."""
    with pytest.raises(MochiError) as caught:
        find_cpu_level(X86, text)
    [diagnostic] = caught.value.diagnostics
    assert diagnostic.code == code
    assert help_text in diagnostic.help
    assert "`x86-64-v3`" in diagnostic.notes[-1]
