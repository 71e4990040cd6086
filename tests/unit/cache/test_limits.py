"""The limits of a cache, as people write them."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.cache.limits import DAYS, SIZE, Limits, find_limits

DAY = 86_400 * 10**9  # nanoseconds


@pytest.mark.parametrize(
    ("text", "size"), [("20GB", 20e9), ("1.5 g", 1.5e9), ("500MB", 5e8), ("8 kB", 8e3)]
)
def test_size_has_a_unit(text: str, size: float) -> None:
    """A kB has 1000 bytes, as everywhere in our output."""
    assert find_limits({SIZE: text}) == Limits(size=int(size))


def test_age_is_in_days() -> None:
    """And without a limit, entries have any age."""
    assert find_limits({DAYS: "30"}).age == 30 * DAY
    assert find_limits({}) == Limits()


@pytest.mark.parametrize(
    "values", [{SIZE: "20"}, {SIZE: "much"}, {SIZE: "-1GB"}, {DAYS: "-1"}, {DAYS: "1.5"}]
)
def test_what_is_not_a_limit_is_an_error(values: dict[str, str]) -> None:
    """A limit that is mistyped must not be none."""
    with pytest.raises(MochiError) as caught:
        find_limits(values)
    assert caught.value.diagnostics[0].code == "K009"
