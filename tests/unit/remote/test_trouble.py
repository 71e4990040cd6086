"""What a build is told of a server that it stops to ask."""

from __future__ import annotations

import time

import pytest

from mochi_rules.remote.trouble import Guard, Patience, ServerError


def use_up(guard: Guard) -> None:
    """Ask when there is no time left."""
    with pytest.raises(ServerError, match="more time than it has saved"):
        guard.allowance(1.0)


def test_server_that_never_answered_is_in_trouble() -> None:
    """Or else a build would do without it, and nobody would know."""
    guard = Guard(Patience(0))
    use_up(guard)
    assert guard.trouble is not None


def test_server_that_has_little_is_not_in_trouble() -> None:
    """A first build finds nothing, which is no fault of the server."""
    guard = Guard(patience := Patience())
    guard.call(lambda _seconds: None, 1.0)
    patience.add(-patience.left)
    use_up(guard)
    assert guard.trouble is None


def test_as_many_calls_at_a_time_as_the_way_is_long() -> None:
    """To a server that is near, each thread more hinders the others; unknown is far."""
    guard = Guard(None)
    assert guard.threads(64) == 64
    guard.call(lambda _seconds: time.sleep(0.02), 1.0)
    assert guard.threads(64) == 64
    guard.call(lambda _seconds: None, 1.0)
    assert guard.threads(64) == 2
