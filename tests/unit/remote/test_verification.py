"""What `cache verify --remote` finds on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cache.samples import OUTPUTS, make_action

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.cache import make_result
from mochi_rules.cache.directory import Layout
from mochi_rules.remote.tier import RemoteTier
from mochi_rules.remote.trust import UNSIGNED
from mochi_rules.remote.verification import DAMAGED, DIFFERENT, LACKING
from tests.servers import new_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Machine
    from .fake_server import FakeServer

ACTION = make_action()
FIRST = digest_bytes(next(iter(OUTPUTS.values())))


@pytest.fixture
def verify(machine: Machine, server: FakeServer) -> Callable[..., list[str]]:
    """Return a function that says what is wrong with the one result of a cache and its server."""
    cache = machine(server.url)
    cache.store(ACTION, OUTPUTS)
    cache.flush()
    assert cache.root is not None
    layout = Layout(cache.root)

    def verify(**settings: object) -> list[str]:
        shared = machine(server.url, require=True, **settings).shared
        assert isinstance(shared, RemoteTier)
        found = shared.verify(layout)
        assert found.checked == 1
        return list(found.faults.values())

    return verify


def test_sound_result_has_no_fault(verify: Callable[..., list[str]]) -> None:
    """What this machine has stored is there as it was."""
    assert verify() == []


def test_lost_output_is_found(verify: Callable[..., list[str]], server: FakeServer) -> None:
    """A result that the server keeps longer than its outputs is of no use."""
    del server.blobs[FIRST.hash]
    assert verify() == [LACKING]


def test_wrong_bytes_are_found(verify: Callable[..., list[str]], server: FakeServer) -> None:
    """A build would not take them, and nobody would know why."""
    server.blobs[FIRST.hash] = b"x" * FIRST.size
    assert verify() == [DAMAGED]


def test_other_outputs_are_found(verify: Callable[..., list[str]], server: FakeServer) -> None:
    """A step that is not reproducible, or a server that lies."""
    other = dict.fromkeys(OUTPUTS, b"other")
    server.blobs[digest_bytes(b"other").hash] = b"other"
    server.results[ACTION.key.hash] = make_result(ACTION, other)
    assert verify() == [DIFFERENT]


def test_unsigned_result_is_found(verify: Callable[..., list[str]], tmp_path: Path) -> None:
    """Where writers are named."""
    assert verify(trusted_writers={"ci": new_key(tmp_path / "ci.pem")}) == [UNSIGNED]


def test_server_that_is_not_there_is_an_error(
    verify: Callable[..., list[str]], server: FakeServer
) -> None:
    """Nothing is said to be sound that was not looked at."""
    server.stop()
    with pytest.raises(MochiError, match="K022"):
        verify()
