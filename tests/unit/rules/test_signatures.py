"""Tests of what SCons compares outputs by: their digests, which steps know already."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import SCons.Node.FS

from mochi_rules.base.digest import digest_bytes
from mochi_rules.rules import hooks
from mochi_rules.rules.workspace import Workspace

if TYPE_CHECKING:
    from SCons.Node.FS import FS

MAIN = b"print(1)\n"


@pytest.fixture(name="space")
def _space(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a workspace that SCons asks for signatures."""
    space = SimpleNamespace(tasks={}, contents={})
    space.content_digest = lambda node: Workspace.content_digest(space, node)  # type: ignore[arg-type]
    original = SCons.Node.FS.File.get_csig
    monkeypatch.setattr(SCons.Node.FS.File, "get_csig", hooks.signing(space, original))
    return space


def test_digest_that_a_step_knows_is_the_signature(fs: FS, space: Any) -> None:
    """The file is not read again."""
    node = fs.File("app/main.mochi")
    known = digest_bytes(b"known")
    space.tasks[node], space.contents[node] = SimpleNamespace(has_file=True), known
    assert node.get_csig() == known.hash


def test_output_of_an_earlier_build_is_read(fs: FS, space: Any) -> None:
    """Its signature is the same as in the build that made it."""
    node = fs.File("app/main.mochi")
    space.tasks[node] = SimpleNamespace(has_file=True)
    assert node.get_csig() == digest_bytes(MAIN).hash


def test_other_files_have_the_signatures_of_scons(fs: FS, space: Any) -> None:
    """Sources, and what other builders make."""
    node = fs.File("app/main.mochi")
    assert space.content_digest(node) is None
    assert len(node.get_csig()) < len(digest_bytes(MAIN).hash)


def test_output_that_is_gone_has_no_digest(fs: FS, space: Any) -> None:
    """SCons says what it says of any file that is missing."""
    node = fs.File("app/main.mochi")
    space.tasks[node] = SimpleNamespace(has_file=True)
    Path("app/main.mochi").unlink()
    assert space.content_digest(node) is None
