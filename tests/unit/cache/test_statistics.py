"""Counters and warnings."""

from __future__ import annotations

from threading import Thread

import pytest

from mochi_rules.base.diagnostic import Diagnostic
from mochi_rules.cache.statistics import Recorder, Statistics, latency_text, parse_statistics


def test_text_keeps_every_counter() -> None:
    """What is written is read."""
    counted = Statistics(*range(1, 11))
    assert parse_statistics(counted.to_text()) == counted


@pytest.mark.parametrize(
    "text",
    ["", "\0\0\0", "hits", "hits -1", "hits x", "hits " + "9" * 5000, "unknown 1", "hits 1 1"],
)
def test_text_without_meaning_counts_nothing(text: str) -> None:
    """A damaged file of totals starts them again."""
    assert parse_statistics(text) == Statistics()


def test_lines_with_meaning_count_beside_others() -> None:
    """A counter that a later version adds does not hide the others."""
    assert parse_statistics("later 4\nhits 2\nmisses ?\n") == Statistics(hits=2)


def test_threads_lose_no_count() -> None:
    """Counters of many threads add up."""
    recorder = Recorder()

    def work() -> None:
        for _ in range(500):
            recorder.count(Statistics(hits=1))

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.counted == Statistics(hits=4000)


def test_pending_counts_are_taken_once() -> None:
    """What was taken for the totals is not taken again, but still counted."""
    recorder = Recorder()
    recorder.count(Statistics(misses=2))
    assert recorder.take_pending() == Statistics(misses=2)
    assert recorder.take_pending() == Statistics()
    assert recorder.counted == Statistics(misses=2)


def test_each_code_warns_once() -> None:
    """The first of many equal troubles is enough."""
    recorder = Recorder()
    for message in ("first", "second"):
        recorder.warn(Diagnostic("K006", message))
    assert [warning.message for warning in recorder.warnings] == ["first"]


@pytest.mark.parametrize(
    ("statistics", "expected"),
    [
        (Statistics(hits=3), ""),
        (Statistics(calls_10ms=100), "50 % ≤ 10 ms, 90 % ≤ 10 ms, 99 % ≤ 10 ms"),
        (
            Statistics(calls_10ms=50, calls_100ms=45, calls_1s=3, calls_longer=2),
            "50 % ≤ 10 ms, 90 % ≤ 100 ms, 99 % > 1 s",
        ),
    ],
)
def test_latency_is_in_percentiles(statistics: Statistics, expected: str) -> None:
    """As far as the counters tell it."""
    assert latency_text(statistics) == expected
