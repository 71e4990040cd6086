"""Test of inputs that many steps take."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from mochi_rules.base.digest import SharedBytes
from mochi_rules.rules import step_action

if TYPE_CHECKING:
    import pytest


def test_launcher_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many executables it becomes; another one is read too."""
    reads: list[str] = []

    def read(_space: Any, node: str) -> bytes:
        reads.append(node)
        return node.encode()

    monkeypatch.setattr(step_action, "read_input", read)
    space: Any = SimpleNamespace(shared={})
    for _ in range(3):
        for node in ("linux", "macos"):
            found = step_action.read_shared(space, node)
            assert isinstance(found, SharedBytes)
            assert found == node.encode()
    assert reads == ["linux", "macos"]
