"""Bundles: entries of one cache, carried to another by hand."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, NoReturn

import pytest
from cache.samples import OUTPUTS, make_action

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.cache.cache import Cache
from mochi_rules.cache.directory import Layout
from mochi_rules.remote.entry_bundle import pull, push
from mochi_rules.remote.settings import RemoteSettings, Trust, parse_public
from mochi_rules.remote.trust import load_signer
from mochi_rules.steps.caches import open_cache
from tests.servers import new_key

if TYPE_CHECKING:
    from pathlib import Path

ACTION = make_action()


@pytest.fixture
def full(tmp_path: Path) -> Layout:
    """Return a cache with the outputs of ACTION."""
    Cache(tmp_path / "one").store(ACTION, OUTPUTS)
    return Layout(tmp_path / "one")


def test_entries_are_carried_over(tmp_path: Path, full: Layout) -> None:
    """What one cache has, the other has after `pull`; a second time there is nothing new."""
    bundle, other = tmp_path / "bundle", Layout(tmp_path / "other")
    assert push(full, bundle, None) == 1
    assert (pull(other, bundle), pull(other, bundle)) == (1, 0)
    hit = Cache(other.root).lookup(ACTION)
    assert hit is not None
    assert hit.outputs == OUTPUTS


@pytest.mark.parametrize("is_signed", [True, False])
def test_entries_are_judged_as_those_of_a_server(
    tmp_path: Path, full: Layout, *, is_signed: bool
) -> None:
    """Where writers are trusted by name, an unsigned bundle is of no use."""
    key = parse_public(new_key(tmp_path / "ci.pem"))
    assert key is not None
    signer = load_signer(tmp_path / "ci.pem", {"ci": key}) if is_signed else None
    push(full, tmp_path / "bundle", signer)
    pull(Layout(tmp_path / "other"), tmp_path / "bundle")
    cache = open_cache(tmp_path / "other", RemoteSettings(trust=Trust({"ci": key})), print)
    assert (cache.lookup(ACTION) is not None) is is_signed


def test_damaged_bundle_is_refused(tmp_path: Path, full: Layout) -> None:
    """A blob that has changed is found, and a file that is not a bundle is one error."""
    bundle = tmp_path / "bundle"
    push(full, bundle, None)
    data = bundle.read_bytes()
    bundle.write_bytes(data.replace(b"\0asm\0asm", b"\0asm\0ASM", 1))
    with pytest.raises(MochiError, match="K028"):
        pull(Layout(tmp_path / "other"), bundle)
    bundle.write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(MochiError, match="K028"):
        pull(Layout(tmp_path / "other"), bundle)


def test_bundle_that_is_there_survives_a_push_that_fails(
    tmp_path: Path, full: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up costs no bundle that was written before."""
    bundle = tmp_path / "bundle"
    push(full, bundle, None)
    before = bundle.read_bytes()

    def fail(_layout: Layout) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("mochi_rules.remote.entry_bundle.scan_results", fail)
    with pytest.raises(MochiError, match="K028"):
        push(full, bundle, None)
    assert bundle.read_bytes() == before
    assert [path.name for path in tmp_path.glob(".bundle*")] == []
