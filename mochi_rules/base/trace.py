"""What a process did when: a file that chrome://tracing and Perfetto show.

Source: "Trace Event Format", the document of the Chromium project: complete events.
"""

from __future__ import annotations

import json
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MICROSECONDS = 1e6
# Kind, name, thread, time of the beginning and duration in seconds.
_Event = tuple[str, str, int, float, float]

_events: list[_Event] | None = None


def start() -> None:
    """Note from now on what happens."""
    global _events  # noqa: PLW0603 - a process has one trace
    _events = []


@contextmanager
def span(kind: str, name: str) -> Iterator[None]:
    """Note how long something takes; `kind` groups such things."""
    if _events is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        took = time.perf_counter() - began
        _events.append((kind, name, threading.get_ident(), began, took))


def document() -> bytes:
    """Return the file. Threads have numbers in the order in which they first did something."""
    threads: dict[int, int] = {}
    process = os.getpid()
    found = []
    for kind, name, thread, began, took in sorted(_events or (), key=lambda event: event[3]):
        number = threads.setdefault(thread, len(threads))
        found.append({
            "name": name, "cat": kind, "ph": "X", "pid": process, "tid": number,
            "ts": round(began * _MICROSECONDS), "dur": round(took * _MICROSECONDS),
        })  # fmt: skip
    return json.dumps({"traceEvents": found, "displayTimeUnit": "ms"}).encode()
