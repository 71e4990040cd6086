"""Did you mean."""

from __future__ import annotations

import pytest

from mochi_rules.base.suggest import count_text, did_you_mean, listing


@pytest.mark.parametrize(
    ("name", "meant"),
    [("lenght", "length"), ("LENGTH", "length"), ("sizes", "size"), ("zzz", None), ("", None)],
)
def test_nearest_name_is_suggested(name, meant) -> None:
    """In whatever case it is; nothing where nothing is near."""
    expected = f"did you mean `{meant}`?" if meant else ""
    assert did_you_mean(name, ["length", "size", "print"]) == expected


def test_suggestion_does_not_depend_on_the_order_of_candidates() -> None:
    """Sets have another order in each run."""
    assert did_you_mean("ab", ["abc", "abd"]) == did_you_mean("ab", ["abd", "abc"])


def test_listing_is_sorted() -> None:
    """Choices are in one order, each in backquotes."""
    assert listing({"b", "a"}) == "`a`, `b`"


def test_count_knows_the_plural() -> None:
    """One thing has no s."""
    assert [count_text(n, "step") for n in (0, 1, 2)] == ["0 steps", "1 step", "2 steps"]
