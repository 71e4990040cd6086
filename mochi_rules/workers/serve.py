"""The worker's side of the protocol: requests from stdin, answers to stdout."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from mochi_rules.base.lifeline import end_with_parent
from mochi_rules.workers.protocol import (
    ProtocolError,
    read_frame,
    read_json,
    write_answer,
    write_greeting,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.workers.protocol import Greeting


def serve(
    greeting: Greeting,
    answer: Callable[[Mapping[str, Any], bytes], tuple[str | None, bytes]],
    prepare: Callable[[], None] = lambda: None,
) -> None:
    """Answer requests until stdin ends; `answer` returns the error or None, and the artifact.

    `prepare` is called between the greeting and the first request.
    """
    # Ctrl-C goes to the whole process group; the client decides, and ends this process by EOF.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    requests, answers = _take_standard_streams()
    write_greeting(answers, greeting)
    prepare()
    try:
        while (fields := read_json(requests)) is not None:
            wasm = read_frame(requests)
            if wasm is None:
                break
            error, artifact = answer(fields, wasm)
            write_answer(answers, error, artifact)
    except ProtocolError as error:
        sys.exit(f"worker: the client sent an invalid request: {error}")
    except BrokenPipeError:
        os._exit(0)  # the client is gone; a normal exit would try to flush


def _take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return the streams of the protocol; whatever else prints, prints to stderr."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers
