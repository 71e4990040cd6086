"""Answers by HTTP are read whole, or refused; nothing of one is taken for the next."""

from __future__ import annotations

import io

import pytest

from mochi_rules.remote.http.http_message import Answer, Request, read_answer, request_bytes

MOST = 10
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
REST = b"the next answer"


def answer(data: bytes, method: str = "GET") -> tuple[Answer, bytes]:
    """Return the answer, and what is left after it."""
    file = io.BytesIO(data)
    return read_answer(file, method, MOST), file.read()


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndata", b"data"),
        (b"HTTP/1.1 200\r\ncontent-length:4\r\nX-Y: a:b\r\n\r\ndata", b"data"),
        (CHUNKS + b"3\r\ndat\r\n1;x=y\r\na\r\n0\r\nTrailer: t\r\n\r\n", b"data"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["length", "terse", "chunks", "continue", "nothing"],
)
def test_connection_goes_on_after_a_whole_answer(data: bytes, want: bytes) -> None:
    """What follows belongs to the next request."""
    found, rest = answer(data + REST)
    assert (found.data, found.is_last, rest) == (want, False, REST)


def test_answer_to_head_has_no_body() -> None:
    """Its length is that of what a GET would return."""
    found, rest = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + REST, "HEAD")
    assert (found.data, found.is_last, rest) == (b"", False, REST)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\ndata",
        b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 4\r\n\r\ndata",
        b"HTTP/1.1 200 OK\r\n\r\ndata",
    ],
    ids=["1.0", "close", "without a length"],
)
def test_connection_ends_after_a_last_answer(data: bytes) -> None:
    """The server says so, or the end is how it marks the end."""
    found, _ = answer(data)
    assert (found.data, found.is_last) == (b"data", True)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + bytes(99),
        CHUNKS + b"63\r\n" + bytes(99) + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(99),
    ],
    ids=["length", "chunks", "end"],
)
def test_too_much_is_not_read(data: bytes) -> None:
    """One byte more than expected tells; the rest stays, and the connection ends."""
    found, _ = answer(data)
    assert (len(found.data), found.is_last) == (MOST + 1, True)


def test_pause_that_a_server_wants_is_told() -> None:
    """Header names have no case."""
    found, _ = answer(b"HTTP/1.1 503 Busy\r\nRETRY-AFTER:  7 \r\nContent-Length: 0\r\n\r\n")
    assert (found.status, found.retry_after) == (503, "7")


@pytest.mark.parametrize(
    "whole",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndata",
        CHUNKS + b"4\r\ndata\r\n0\r\n\r\n",
    ],
    ids=["length", "chunks"],
)
def test_answer_that_is_cut_off_anywhere_is_none(whole: bytes) -> None:
    """At whichever byte the connection ends."""
    for size in range(len(whole)):
        with pytest.raises(ConnectionError):
            answer(whole[:size])


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 +20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\ndata",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\ndata",
        CHUNKS + b"x\r\ndata",
        CHUNKS + b"3\r\ndata\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000,
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    """Whoever sends it, the connection cannot be used."""
    with pytest.raises(ConnectionError, match="not one of HTTP"):
        answer(data)


def test_request_has_all_that_servers_need() -> None:
    """As RFC 9112 has it."""
    request = Request("PUT", "/cas/a", b"data", {"User-Agent": "x"})
    assert request_bytes(request, "cache:8080") == (
        b"PUT /cas/a HTTP/1.1\r\nHost: cache:8080\r\nAccept-Encoding: identity\r\n"
        b"User-Agent: x\r\nContent-Length: 4\r\n\r\ndata"
    )


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/\u20ac"])
def test_request_that_is_two_is_refused(path: str) -> None:
    """Nothing of a path or a header becomes a line of its own."""
    with pytest.raises(ValueError, match=r"control characters|codec"):
        request_bytes(Request("GET", path, None, {}), "cache")
