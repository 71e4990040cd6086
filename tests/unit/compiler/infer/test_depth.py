"""Tests of how deeply types are nested."""

from __future__ import annotations

from mochi_rules.compiler.infer.cells import Cell
from mochi_rules.compiler.infer.depth import Depths


def test_type_within_itself_is_measured_beside_its_other_parts() -> None:
    """A function that returns a list of itself, and takes a list of ints."""
    numbers, itself = Cell("list", (Cell("int"),)), Cell("list")
    function = Cell("fun", (numbers, itself))
    itself.args = (function,)
    assert Depths().of(function) == 3
