"""Tests of what a release says about the machine that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.release import circumstances
from mochi_rules.release.circumstances import runtime_versions

if TYPE_CHECKING:
    import pytest


def test_commit_of_our_checkout_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of them may have the same version, and write other archives."""
    monkeypatch.setattr(circumstances, "own_commit", lambda _package: "c0ffee")
    assert runtime_versions()["commit of mochi_rules"] == "c0ffee"


def test_unknown_commit_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the sources without git has none."""
    monkeypatch.setattr(circumstances, "own_commit", lambda _package: "")
    assert "commit of mochi_rules" not in runtime_versions()
