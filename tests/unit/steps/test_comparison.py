"""What `explain` says of a server that many machines share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.base.events import Outcome
from mochi_rules.cache.cache import Cache
from mochi_rules.cache.explain import KeyRecord, Part
from mochi_rules.cache.tiers import TieredCache
from mochi_rules.steps.comparison import explain_outputs
from mochi_rules.steps.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATH = "build/x86_64-linux-release/app/app.wasm"
MINE = KeyRecord(PATH, "1" * 64, (Part("tool", "mochi", "2"),))
THEIRS = KeyRecord("", "2" * 64, (Part("tool", "mochi", "1"),))


class Shared:
    """A server with one key of a target."""

    def __init__(self, other: KeyRecord | None) -> None:
        self._other = other

    def other_keys(self, records: dict[str, KeyRecord]) -> dict[str, KeyRecord | None]:
        """Return the other key."""
        return dict.fromkeys(records, self._other)


@pytest.fixture
def explained(tmp_path: Path) -> Callable[..., list[str]]:
    """Return a function that explains a step that ended in some way."""

    def explain(outcome: Outcome, other: KeyRecord | None) -> list[str]:
        journal = Journal(tmp_path)
        journal.record(PATH, outcome, 0.2, MINE, "0" * 64)
        shared: Any = Shared(other)
        return explain_outputs(journal, [], TieredCache(Cache(None), lambda: shared))[2:]

    return explain


def test_part_that_differs_there_is_named(explained: Callable[..., list[str]]) -> None:
    """A step that was built here is compared with what the server has."""
    lines = explained(Outcome.BUILT, THEIRS)
    assert lines[1:] == ["    tool mochi 1 → 2"]
    assert "by another key" in lines[0]


def test_target_that_nobody_stored_is_named(explained: Callable[..., list[str]]) -> None:
    """Then no part of the key is to blame."""
    [line] = explained(Outcome.BUILT, None)
    assert "no result of it" in line


def test_what_was_restored_is_not_compared(explained: Callable[..., list[str]]) -> None:
    """A hit needs no reason."""
    assert explained(Outcome.FETCHED, THEIRS) == []
