"""The frames of the worker protocol."""

from __future__ import annotations

import io

import pytest

from mochi_rules.workers.protocol import (
    MAX_JSON,
    Greeting,
    ProtocolError,
    read_answer,
    read_frame,
    read_greeting,
    read_json,
    write_answer,
    write_frame,
    write_greeting,
    write_json,
)


def written(write, *values):
    """Return what a function writes."""
    stream = io.BytesIO()
    write(stream, *values)
    return stream.getvalue()


def test_frame_is_length_and_bytes():
    """A frame is a little-endian u32 and that many bytes: other programs depend on it."""
    assert written(write_frame, b"abc") == b"\x03\0\0\0abc"


def test_greeting_is_exactly_this():
    """The greeting is one frame of JSON with three keys."""
    text = b'{"protocol":1,"tool":"wheel","wasmtime":"48.0.0"}'
    assert written(write_greeting, Greeting("wheel", "48.0.0")) == b"\x31\0\0\0" + text


def test_greeting_is_read_in_any_order_of_keys():
    """Another worker may order the keys as it likes and add some."""
    data = b'{"wasmtime":"48.0.8", "more":[], "tool":"rust", "protocol":1}'
    stream = io.BytesIO(written(write_frame, data))
    assert read_greeting(stream) == Greeting("rust", "48.0.8")


@pytest.mark.parametrize("error", [None, "", "it is\nwrong ☃"])
def test_answer_comes_back(error):
    """An answer is read as it was written."""
    stream = io.BytesIO(written(write_answer, error, b"\x7fELF"))
    assert read_answer(stream) == (error, b"\x7fELF")
    assert stream.read() == b""


def test_end_between_frames_is_none():
    """A stream that ends between frames is at its end."""
    assert read_frame(io.BytesIO()) is None
    assert read_json(io.BytesIO()) is None


@pytest.mark.parametrize("size", range(1, 7))
def test_end_inside_a_frame_is_an_error(size):
    """A stream that ends inside a frame is broken, wherever it ends."""
    with pytest.raises(ProtocolError, match="unexpected end in a"):
        read_frame(io.BytesIO(written(write_frame, b"abc")[:size]))


def test_text_of_another_program_is_no_frame():
    """What a program prints is refused by its length, without waiting for gigabytes."""
    with pytest.raises(ProtocolError, match="at most"):
        read_greeting(io.BytesIO(b"Usage: wasmtime [OPTIONS]\n"))


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"error":1}', b"{}", b"[" * 100_000, b'{"protocol":1}'],
)
def test_other_json_is_refused(data):
    """JSON that is not an answer, and what is no JSON, is a ProtocolError and nothing else."""
    for read in (read_answer, read_greeting):
        with pytest.raises(ProtocolError):
            read(io.BytesIO(written(write_frame, data)))


def test_other_protocol_version_is_refused():
    """A worker of a later protocol is not talked to."""
    fields = {"protocol": 2, "tool": "rust", "wasmtime": "48.0.0"}
    with pytest.raises(ProtocolError, match="version 2"):
        read_greeting(io.BytesIO(written(write_json, fields)))


def test_json_too_long_is_refused():
    """A JSON frame over the limit is refused before it is read."""
    with pytest.raises(ProtocolError, match=str(MAX_JSON)):
        read_json(io.BytesIO(written(write_frame, b" " * (MAX_JSON + 1))))


def test_answer_without_artifact_is_refused():
    """An answer of one frame only is broken."""
    with pytest.raises(ProtocolError, match="no artifact"):
        read_answer(io.BytesIO(written(write_json, {"error": None})))
