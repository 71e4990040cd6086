"""Folding of single instructions."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.ir.function import Value
from mochi_rules.compiler.ir.types import INT, WORD
from mochi_rules.compiler.passes.fold import fold


@pytest.mark.parametrize("type_", [INT, WORD], ids=str)
@pytest.mark.parametrize("op", ["rotl"])
def test_what_has_no_rule_stays(op, type_) -> None:
    """An operation of two constants that nobody computes here is left alone, at once."""
    value = Value(op, (Value("const", (), type_, 3), Value("const", (), type_, 2)), type_)
    assert fold(value) is None
    assert (value.op, len(value.args)) == (op, 2)
