"""The protocol between a client and an ahead-of-time worker, over the worker's stdin and stdout.

A frame is its length (u32, little-endian) and that many bytes. The worker starts with one frame,
the greeting. A request is two frames: a JSON object, then the wasm. An answer is two frames: a
JSON object `{"error": null | text}`, then the artifact, empty after an error. The end of its stdin
ends the worker with status 0. Workers are not only Python programs: keep to this exactly.
"""

from __future__ import annotations

import json
import struct
from typing import IO

from mochi_rules.base.dataclass import dataclass

PROTOCOL = 1
MAX_JSON = 1 << 20  # bytes; anything longer is not from a worker
MAX_FRAME = (1 << 32) - 1
_LENGTH = struct.Struct("<I")


class ProtocolError(Exception):
    """The other side violates the protocol; the text is what came instead."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """The first message of a worker: the tool it is, and the version of its Wasmtime."""

    tool: str
    wasmtime: str


def read_frame(stream: IO[bytes], limit: int = MAX_FRAME) -> bytes | None:
    """Read a frame of at most `limit` bytes, or None at the end of the stream.

    Raises:
        ProtocolError: The stream ends inside a frame, or the frame is too long.
    """
    head = stream.read(_LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise ProtocolError(f"unexpected end in a length: {head!r}")
    (length,) = _LENGTH.unpack(head)
    if length > limit:
        raise ProtocolError(f"a frame of {length} bytes, at most {limit} expected: {head!r}")
    data = stream.read(length)
    if len(data) < length:
        raise ProtocolError(f"unexpected end in a frame, {len(data)} of {length} bytes")
    return data


def write_frame(stream: IO[bytes], data: bytes) -> None:
    """Write a frame and flush it.

    Raises:
        ProtocolError: The data do not fit in a frame.
        OSError: The other side is gone.
    """
    if len(data) > MAX_FRAME:
        raise ProtocolError(f"{len(data)} bytes, too many for a frame")
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def read_json(stream: IO[bytes]) -> dict[str, object] | None:
    """Read a frame that holds a JSON object, or None at the end of the stream.

    Raises:
        ProtocolError: It is not a frame, or no JSON object.
    """
    data = read_frame(stream, MAX_JSON)
    if data is None:
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise ProtocolError(f"no JSON: {data[:40]!r}") from None
    if not isinstance(value, dict):
        raise ProtocolError(f"no JSON object: {data[:40]!r}")
    return value


def write_json(stream: IO[bytes], value: dict[str, object]) -> None:
    """Write a JSON object as a frame; the same value is always the same bytes."""
    write_frame(stream, json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def write_greeting(stream: IO[bytes], greeting: Greeting) -> None:
    """Write the first message of a worker."""
    fields = {"protocol": PROTOCOL, "tool": greeting.tool, "wasmtime": greeting.wasmtime}
    write_json(stream, fields)


def read_greeting(stream: IO[bytes]) -> Greeting:
    """Read the first message of a worker.

    Raises:
        ProtocolError: It says something else, or another version of the protocol.
    """
    match read_json(stream):
        case {"protocol": int(version), "tool": str(tool), "wasmtime": str(wasmtime)}:
            if version != PROTOCOL:
                raise ProtocolError(f"version {version} of the protocol, {PROTOCOL} expected")
            return Greeting(tool, wasmtime)
        case None:
            raise ProtocolError("no greeting")
        case other:
            raise ProtocolError(f"no greeting: {other!r:.80}")


def read_answer(stream: IO[bytes]) -> tuple[str | None, bytes]:
    """Read an answer: the error or None, and the artifact.

    Raises:
        ProtocolError: It is not an answer, or the stream has ended.
    """
    match read_json(stream):
        case {"error": None | str() as error}:
            artifact = read_frame(stream)
            if artifact is None:
                raise ProtocolError("no artifact")
            return error, artifact
        case None:
            raise ProtocolError("no answer")
        case other:
            raise ProtocolError(f"no answer: {other!r:.80}")


def write_answer(stream: IO[bytes], error: str | None, artifact: bytes = b"") -> None:
    """Write an answer."""
    write_json(stream, {"error": error})
    write_frame(stream, artifact)
