"""Folding of single instructions."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.ir.function import Value
from mochi_rules.compiler.ir.types import INT, STRING, WORD
from mochi_rules.compiler.passes.fold import fold


@pytest.mark.parametrize("type_", [INT, WORD], ids=str)
@pytest.mark.parametrize("op", ["rotl"])
def test_what_has_no_rule_stays(op, type_) -> None:
    """An operation of two constants that nobody computes here is left alone, at once."""
    value = Value(op, (Value("const", (), type_, 3), Value("const", (), type_, 2)), type_)
    assert fold(value) is None
    assert (value.op, len(value.args)) == (op, 2)


def test_a_character_of_a_string_is_ordered_where_it_lies() -> None:
    """Nobody needs the string that a character is, to compare it."""
    text, offset = Value("param", (), STRING), Value("param", (), WORD)
    order = Value("string.order", (Value("string.char", (text, offset), STRING),), WORD)
    assert fold(order) is None
    assert (order.op, order.args) == ("string.order_at", (text, offset))
