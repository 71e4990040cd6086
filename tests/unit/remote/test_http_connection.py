"""Connections by HTTP keep to their deadlines."""

from __future__ import annotations

import socket
from threading import Event
from typing import TYPE_CHECKING

import pytest

from mochi_rules.remote.http.http_connection import Connection
from mochi_rules.remote.settings import Address

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let no name be resolved, until what is returned is called."""
    may_go_on = Event()
    real = socket.getaddrinfo

    def resolve(*arguments: object, **named: object) -> object:
        may_go_on.wait(10)
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return may_go_on.set


def test_resolver_that_hangs_is_given_up(resolver: Callable[[], None]) -> None:
    """A name that is not resolved in time is a failure like any other, also the second time."""
    connection = Connection(Address("http", "localhost", 9), None)
    for _ in range(2):
        with pytest.raises(TimeoutError, match=r"no connection within 0\.0 s"):
            connection.exchange(("GET", "/", None, {}), 0.01, 100)
    resolver()
