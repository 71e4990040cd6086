"""A signal that ends a build is noticed at once, also while the main thread waits."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from mochi_rules.rules.scons.interrupts import watch_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def interrupted() -> Iterator[threading.Event]:
    """Watch the signals of this process; return what is set when one ends the build."""
    before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
    event = threading.Event()
    watch_signals(event.set)
    yield event
    os.close(signal.set_wakeup_fd(-1))
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_interrupts_the_build(interrupted: threading.Event, number: signal.Signals) -> None:
    """The workers can be ended then, for which SCons would wait."""
    os.kill(os.getpid(), number)
    assert interrupted.wait(10)
