"""A few cases of every kind, always the same. CONTRIBUTING has the long run."""

from __future__ import annotations

import pytest

from tests.faults.harness import run_cases

pytestmark = pytest.mark.slow


PROGRAMS = pytest.param(
    "programs", 1500, marks=pytest.mark.xfail(reason="a cast to a struct that contains itself")
)


@pytest.mark.parametrize(
    ("kind", "count"), [("faults", 150), ("kills", 6), ("artifacts", 1000), PROGRAMS]
)
def test_cases_end_well(kind: str, count: int) -> None:
    """No wrong bytes, no traceback, no hang."""
    assert run_cases(kind, 0, count).findings == []
