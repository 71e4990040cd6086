"""A worker process: compiles wasm with Wasmtime's wheel. `python -m mochi_rules.aot.worker`.

Wasmtime may abort the process: that is what it is a process of its own for.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from mochi_rules.aot.engine import make_compiler
from mochi_rules.aot.wheel import wheel_version
from mochi_rules.base.lifeline import end_with_parent
from mochi_rules.platforms.platform import host_platform
from mochi_rules.workers.protocol import (
    Greeting,
    ProtocolError,
    read_frame,
    read_json,
    write_answer,
    write_greeting,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAGIC = b"\0asm"


class _RefusedError(Exception):
    """What is not handed to Wasmtime, and why."""


def main() -> None:
    """Compile until stdin ends."""
    serve(Greeting("wheel", wheel_version()), _answer, _prepare)


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
        sys.exit(f"worker: the client sent what is no request: {error}")
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


def _prepare() -> None:
    """Load Wasmtime: after the greeting, and off its stdout."""
    import wasmtime  # noqa: F401, PLC0415


def _answer(fields: Mapping[str, Any], wasm: bytes) -> tuple[str | None, bytes]:
    """Return the error or None, and the artifact."""
    from wasmtime import WasmtimeError  # noqa: PLC0415 - `_prepare` has loaded it

    try:
        return None, _compile(fields, wasm)
    except (WasmtimeError, _RefusedError) as error:
        return str(error), b""
    except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
        return f"bad request: {error!r}", b""


def _compile(fields: Mapping[str, Any], wasm: bytes) -> bytes:
    host = host_platform().triple
    if fields["target"] != host:  # the wheel would abort
        raise _RefusedError(f"this machine's wheel compiles for `{host}`, not `{fields['target']}`")
    if not wasm.startswith(_MAGIC):  # the wheel would take it for the text format
        raise _RefusedError("not a WebAssembly binary")
    engine = make_compiler(fields)
    if fields["kind"] == "component":
        from wasmtime.component import Component  # noqa: PLC0415 - rare, and slow to import

        return bytes(Component(engine, wasm).serialize())
    from wasmtime import Module  # noqa: PLC0415 - as above

    return bytes(Module(engine, wasm).serialize())


if __name__ == "__main__":
    main()
