"""Tests of the closing line."""

from __future__ import annotations

import pytest

from mochi_rules.base.events import Outcome, StepFinished
from mochi_rules.ui.summary import Tally, summary_line


def counted(*outcomes: Outcome, verb: str = "aot", up_to_date: int = 0) -> Tally:
    """Return the tally of some steps."""
    tally = Tally(up_to_date=up_to_date)
    for outcome in outcomes:
        tally.count(StepFinished(verb, "a/b.cwasm", outcome, size=1000))
    return tally


BUILT, RESTORED, FAILED = Outcome.BUILT, Outcome.RESTORED, Outcome.FAILED
INTERRUPTED = Outcome.INTERRUPTED


@pytest.mark.parametrize(
    ("tally", "total", "want"),
    [
        (counted(), 0, "built 0 of 0 in 1.2s · 0 up to date · 0 failed"),
        (counted(BUILT, up_to_date=3), 4, "built 1 of 4 in 1.2s · 3 up to date · 0 failed"),
        (
            counted(BUILT, RESTORED, RESTORED, up_to_date=11),
            14,
            "built 1 of 14 in 1.2s · 2 cached (2.0 kB) · 11 up to date · 0 failed",
        ),
        (counted(FAILED), 4, "built 0 of 4 in 1.2s · 0 up to date · 3 not reached · 1 failed"),
        (
            counted(BUILT, RESTORED, verb="test"),
            2,
            (
                "built 1 of 2 in 1.2s · 1 cached (1.0 kB) · 0 up to date · 0 failed · "
                "2 tests passed (1 cached)"
            ),
        ),
        (
            counted(BUILT, FAILED, verb="test"),
            2,
            "built 1 of 2 in 1.2s · 0 up to date · 1 failed · 1 of 2 tests failed",
        ),
        (
            counted(BUILT, INTERRUPTED, verb="test"),
            3,
            (
                "built 1 of 3 in 1.2s · 0 up to date · 1 not reached · 1 interrupted · "
                "0 failed · 1 test passed"
            ),
        ),
    ],
)
def test_summary_adds_up(tally: Tally, total: int, want: str) -> None:
    """Every step is in one of the parts."""
    assert summary_line(tally, total, 1.2) == want


def test_total_is_never_less_than_what_was_done() -> None:
    """Steps that nobody counted before still count."""
    assert summary_line(counted(BUILT, BUILT), 1, 0).startswith("built 2 of 2")
