"""Tests of handlers of signals, and of threads that get none."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from mochi_rules.base.signals import ENDING, for_this_thread_alone, handling

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")


def test_handlers_are_restored() -> None:
    """They are those of a caller."""
    before = signal.getsignal(signal.SIGTERM)
    got: list[int] = []
    with handling({signal.SIGTERM: lambda number, _: got.append(number)}):
        signal.raise_signal(signal.SIGTERM)
    assert got == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) == before


def test_other_threads_get_no_signal() -> None:
    """The thread that starts them still does."""
    masks: list[set[int]] = []
    thread = threading.Thread(
        target=lambda: masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    )
    with for_this_thread_alone():
        thread.start()
    thread.join()
    assert masks[0].issuperset(ENDING)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()).intersection(ENDING)
