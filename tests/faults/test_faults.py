"""A few cases of every kind, always the same. CONTRIBUTING has the long run."""

from __future__ import annotations

import pytest

from tests.faults.harness import run_cases
from tests.native.building import build_clif_worker

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("faults", 150),
        ("kills", 6),
        ("artifacts", 1000),
        ("programs", 1500),
        ("levels", 500),
        ("generated", 150),
        ("remote", 100),
    ],
)
def test_cases_end_well(kind: str, count: int) -> None:
    """No wrong bytes, no traceback, no hang."""
    assert run_cases(kind, 0, count).findings == []


def test_native_programs_end_as_interpreted() -> None:
    """On every machine that can be run here."""
    build_clif_worker()
    assert run_cases("native", 0, 24).findings == []
