"""Tests of the stream that never fails."""

from __future__ import annotations

import io
import os

from mochi_rules.ui.output import Output


def test_text_that_cannot_be_encoded_is_replaced() -> None:
    """A terminal without Unicode shows plain signs, and escapes for the rest."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    Output(stream).write("a · b → ü\n")
    assert raw.getvalue() == b"a - b > \\xfc\n"


def test_closed_pipe_ends_nothing() -> None:
    """When the reader is gone, writing goes on without an error, and so does closing."""
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    output = Output(stream)
    output.write("one\n")
    output.write("two\n")
    stream.close()


def test_closed_stream_is_no_terminal() -> None:
    """A stream that is closed is not asked whether it is a terminal."""
    stream = io.StringIO()
    stream.close()
    assert Output(stream).is_terminal is False
