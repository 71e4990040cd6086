"""A worker process: compiles wasm with Wasmtime's wheel. `python -m mochi_rules.aot.worker`.

Wasmtime may abort the process: that is what it is a process of its own for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.aot.engine import make_compiler
from mochi_rules.aot.wheel import wheel_version
from mochi_rules.platforms.platform import host_platform
from mochi_rules.workers.protocol import Greeting
from mochi_rules.workers.serve import serve

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC = b"\0asm"


class _RefusedError(Exception):
    """What is not handed to Wasmtime, and why."""


def main() -> None:
    """Compile until stdin ends."""
    serve(Greeting("wheel", wheel_version()), _answer, _prepare)


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
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported to the client
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
