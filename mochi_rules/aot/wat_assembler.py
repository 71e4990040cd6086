"""WebAssembly text to binary, by Wasmtime's own assembler."""

from __future__ import annotations

import re

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.span import Source, Span

_WHERE = re.compile(r"\s+--> .*:(\d+):(\d+)")


def assemble(source: Source) -> bytes:
    """Return the binary of WebAssembly text.

    Emits: A012.

    Raises:
        MochiError: The text is not WebAssembly.
    """
    from wasmtime import WasmtimeError, wat2wasm  # noqa: PLC0415 - of texts only

    try:
        return bytes(wat2wasm(source.text))
    except WasmtimeError as error:
        reason, *rest = str(error).split("\n", 1)
        message = f"not WebAssembly text: {reason}"
        where = _WHERE.match(rest[0]) if rest else None
        span = _span(source, int(where[1]), int(where[2])) if where else None
        raise MochiError(Diagnostic("A012", message, span)) from None


def _span(source: Source, line: int, column: int) -> Span:
    lines = source.text.split("\n")[: line - 1]
    start = sum(map(len, lines)) + len(lines) + column - 1
    return Span(source, start, start + 1)
