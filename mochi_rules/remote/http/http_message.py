"""Requests and answers of HTTP/1.1, as far as a cache needs them.

`http.client` reads headers as those of a mail, and so takes 0.12 ms of CPU for a small blob; this
takes 0.03.

Source: RFC 9112.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from mochi_rules.base.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_LINE = 1 << 16  # bytes
_MAX_HEADERS = 100
_WITHOUT_BODY = (204, 304)
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: .*)?\r?\n", re.DOTALL)
_SIZE = re.compile(r"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?\r?\n", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Request:
    """What a server is asked."""

    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a server. `retry_after` is the header; `is_last` that the connection ends."""

    status: int
    data: bytes
    retry_after: str
    is_last: bool


def request_bytes(request: Request, host: str) -> bytes:
    """Return a request as it is sent to a host.

    Raises:
        ValueError: The path or a header cannot be part of a request.
    """
    fields = {"Host": host, "Accept-Encoding": "identity", **request.headers}
    if request.body is not None:
        fields["Content-Length"] = str(len(request.body))
    lines = [f"{request.method} {request.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if " " in request.path or any(map(_CONTROL.search, lines)):
        raise ValueError("a path or a header with control characters")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (request.body or b"")


def read_answer(file: BinaryIO, method: str, most: int) -> Answer:
    """Return the answer to a request of a method, with at most so many bytes and one of its body.

    Raises:
        OSError: It is cut off or malformed, or as the file raises.
    """
    version, status = _read_status(file)
    headers = _read_headers(file)
    while status < 200:  # more will follow
        version, status = _read_status(file)
        headers = _read_headers(file)
    is_last = version == b"0" or "close" in headers.get("connection", "").lower()
    size = headers.get("content-length", "")
    if method == "HEAD" or status in _WITHOUT_BODY:
        data = b""
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        data, is_whole = _read_chunks(file, most + 1)
        is_last = is_last or not is_whole
    elif _SIZE.fullmatch(size):
        data = _read_exactly(file, min(int(size), most + 1))
        is_last = is_last or len(data) < int(size)
    elif size or "transfer-encoding" in headers:
        raise _malformed()
    else:
        data, is_last = file.read(most + 1), True
    return Answer(status, data, headers.get("retry-after", ""), is_last)


def _read_status(file: BinaryIO) -> tuple[bytes, int]:
    line = file.readline(_MAX_LINE)
    if not line:
        raise ConnectionError("the connection ended before an answer")
    match = _STATUS.fullmatch(line)
    if not match:
        raise _malformed()
    return match[1], int(match[2])


def _read_headers(file: BinaryIO) -> dict[str, str]:
    """Return the headers by their names in lower case; the last of a name counts."""
    found: dict[str, str] = {}
    for _ in range(_MAX_HEADERS):
        line = file.readline(_MAX_LINE)
        if line in (b"\r\n", b"\n"):
            return found
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not line.endswith(b"\n"):
            break
        found[name.lower()] = value.strip()
    raise _malformed()


def _read_chunks(file: BinaryIO, most: int) -> tuple[bytes, bool]:
    """Return at most so many bytes of a body in chunks, and whether that is all of it."""
    data = bytearray()
    while len(data) < most:
        match = _CHUNK.fullmatch(file.readline(_MAX_LINE))
        if not match:
            raise _malformed()
        if size := int(match[1], 16):
            data += _read_exactly(file, min(size, most - len(data)))
            if len(data) < most and file.readline(_MAX_LINE).strip():
                raise _malformed()
        else:
            _read_headers(file)
            return bytes(data), True
    return bytes(data), False


def _read_exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ConnectionError("the connection ended within an answer")
    return data


def _malformed() -> OSError:
    return ConnectionError("the answer is not one of HTTP")
