"""Connections by HTTP keep to their deadlines."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.digest import digest_bytes
from mochi_rules.remote.credentials import Credentials
from mochi_rules.remote.http.http_connection import Connection
from mochi_rules.remote.http.http_message import Request
from mochi_rules.remote.http.http_server import HttpServer
from mochi_rules.remote.settings import Address, remote_settings
from mochi_rules.remote.trouble import Guard, Kind, ServerError

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
            connection.exchange(Request("GET", "/", None, {}), 0.01, 100)
    resolver()


def test_exchange_ends_when_the_server_is_closed() -> None:
    """Ctrl-C waits for no server that is silent, whatever deadline it was given."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Address("http", "127.0.0.1", silent.getsockname()[1])
        credentials = Credentials(remote_settings({}, {}, {}, Path()), address)
        guard = Guard(None)
        server = HttpServer(address, credentials, guard)
        failures: list[ServerError] = []

        def ask() -> None:
            with pytest.raises(ServerError) as caught:
                server.get_result(digest_bytes(b""), ())
            failures.append(caught.value)

        asking = Thread(target=ask)
        asking.start()
        near, _ = silent.accept()
        assert near.recv(1)
        guard.stop()
        server.close()
        asking.join(20)
        near.close()
    assert [failure.kind for failure in failures] == [Kind.STOPPED]
