"""Where hosts find what a program has printed and not written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mochi_rules.aot import unwritten
from mochi_rules.compiler.lower import object_layout as layout

ROOT = Path(__file__).parents[4]
TOOLCHAINS = ROOT / "toolchains"
PLACES = {
    ROOT / "mochi_rules" / "aot" / "unwritten.py": r"_PLACE = (\d+)",
    TOOLCHAINS / "native" / "launcher" / "src" / "unwritten.rs": r"PLACE: usize = (\d+)",
    TOOLCHAINS / "native" / "bundle" / "launcher.c": r"\bOUTPUT = (\d+)",
    TOOLCHAINS / "clif" / "host" / "host.h": r"#define OUTPUT (\d+)",
}


@pytest.mark.parametrize("path", PLACES, ids=lambda path: path.name)
def test_host_looks_where_the_runtime_library_writes(path: Path) -> None:
    """Every host has its own copy of the address, and those that run any program, of the mark."""
    found = re.search(PLACES[path], path.read_text("utf-8"))
    assert found
    assert int(found[1]) == layout.OUTPUT


def test_place_ends_before_static_data() -> None:
    """Neither objects nor the free lists reach there."""
    largest_class = 64 + (31 - 10) * 4
    assert layout.FREE_LISTS + (largest_class + 1) * 4 <= layout.OUTPUT
    assert layout.OUTPUT + unwritten._WORDS.size <= layout.STATIC_BASE
