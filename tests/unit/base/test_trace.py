"""Traces: what happened, in the format of Chromium."""

from __future__ import annotations

import json
from threading import Thread

import pytest

from mochi_rules.base import trace


@pytest.fixture(autouse=True)
def none_before(monkeypatch) -> None:
    """Begin without a trace, and end without one."""
    monkeypatch.setattr(trace, "_events", None)


def events() -> list[dict]:
    """Return the events of the trace."""
    return json.loads(trace.document())["traceEvents"]


def test_nothing_is_noted_before_the_start() -> None:
    """A process without a trace keeps nothing."""
    with trace.span("step", "early"):
        pass
    assert events() == []


def test_spans_have_times_and_threads() -> None:
    """What is inside of something begins later and takes less, and threads are distinguished."""
    trace.start()
    with trace.span("step", "outer"), trace.span("cache", "inner"):
        pass

    def work() -> None:
        with trace.span("remote", "other"):
            pass

    thread = Thread(target=work)
    thread.start()
    thread.join()
    outer, inner, other = events()
    assert (outer["name"], inner["cat"], outer["ph"]) == ("outer", "cache", "X")
    assert outer["ts"] <= inner["ts"]
    assert outer["ts"] + outer["dur"] >= inner["ts"] + inner["dur"] - 1
    assert (outer["tid"], inner["tid"], other["tid"]) == (0, 0, 1)


def test_what_fails_is_noted_too() -> None:
    """A step that raises took its time."""
    trace.start()
    with pytest.raises(OSError, match="no"), trace.span("step", "fails"):
        raise OSError("no")
    assert [event["name"] for event in events()] == ["fails"]
