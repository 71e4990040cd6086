"""A signal that ends a build also ends its workers."""

from __future__ import annotations

import os
import signal
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from mochi_rules.rules.interrupts import watch_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")


SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def space() -> Iterator[Any]:
    """Return a workspace that watches signals; `closed` is set when its workers are ended."""
    before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    closed = threading.Event()
    engines = SimpleNamespace(close=closed.set)
    made = SimpleNamespace(is_interrupted=False, pipeline=SimpleNamespace(engines=engines))
    watch_signals(cast("Any", made))
    made.closed = closed
    yield made
    os.close(signal.set_wakeup_fd(-1))
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_workers_end_with_the_build(space: Any, number: signal.Signals) -> None:
    """SCons waits for its steps, which wait for workers."""
    os.kill(os.getpid(), number)
    assert space.closed.wait(10)
    assert space.is_interrupted
