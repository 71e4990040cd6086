"""What passes/bounds.py says of a place, whatever it was asked before; see tests/property, too."""

from __future__ import annotations

from mochi_rules.compiler.ir.facts import Facts
from mochi_rules.compiler.ir.parse import parse_function
from mochi_rules.compiler.passes import proofs
from mochi_rules.compiler.passes.bounds import LEAST, MOST, Bounds


def test_a_check_says_nothing_of_places_before_it() -> None:
    """A bound that holds behind a check does not stand for the block in front of the check."""
    function = parse_function(
        "fun f(i: int): int {\n"
        "b0:\n"
        "  v1: int = check.upper list i, 7\n"
        "  v2: int = add v1, 1\n"
        "  return v2\n"
        "}\n"
    )
    bounds = Bounds(Facts(function))
    [i] = function.params
    assert bounds.most(i, (function.entry, len(function.entry.code))) == 6
    assert bounds.most(i, (function.entry, 0)) == MOST


def test_a_parameter_is_bounded_by_how_often_its_loop_iterates() -> None:
    """10 iterations, each of which adds at most 9 or takes away 3."""
    function = parse_function(
        "fun f(up: bool): int {\n"
        "b0:\n"
        "  jump b1(5, 0)\n"
        "b1(sum: int, i: int):\n"
        "  v1: bool = lt i, 10\n"
        "  branch v1, b2, b3\n"
        "b2:\n"
        "  v2: int = add.checked sum, i\n"
        "  v3: int = sub.checked sum, 3\n"
        "  v4: int = select up, v2, v3\n"
        "  v5: int = add i, 1\n"
        "  jump b1(v4, v5)\n"
        "b3:\n"
        "  return sum\n"
        "}\n"
    )
    header, behind = function.blocks[1], function.blocks[3]
    bounds = Bounds(Facts(function))
    [total, _] = header.params
    assert 5 + 10 * 9 <= bounds.most(total, (behind, 0)) < MOST
    assert 5 - 10 * 3 >= bounds.least(total, (behind, 0)) > LEAST


def test_a_comparison_with_a_constant_holds_when_no_steps_are_left(monkeypatch) -> None:
    """However much there is to look at, what a branch says of a value itself is not forgotten."""
    monkeypatch.setattr(proofs, "STEPS", 0)
    function = parse_function(
        "fun f(i: int): int {\n"
        "b0:\n"
        "  v1: bool = lt i, 10\n"
        "  branch v1, b1, b2\n"
        "b1:\n"
        "  return 1\n"
        "b2:\n"
        "  return 0\n"
        "}\n"
    )
    bounds = Bounds(Facts(function))
    [i] = function.params
    assert bounds.most(i, (function.blocks[1], 0)) == 9
