"""A worker process: compiles wasm with Wasmtime's wheel. `python -m mochi_rules.aot.worker`.

Wasmtime may abort the process: that is what it is a process of its own for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.aot.c_api import RefusedError, compile_artifact
from mochi_rules.aot.wheel import WHEEL, wheel_version
from mochi_rules.platforms.platform import host_platform
from mochi_rules.workers.protocol import Greeting
from mochi_rules.workers.serve import serve

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC = b"\0asm"


def main() -> None:
    """Compile until stdin ends."""
    serve(Greeting(WHEEL, wheel_version()), answer)


def answer(fields: Mapping[str, Any], wasm: bytes) -> tuple[str | None, bytes]:
    """Return the error or None, and the artifact; `fields` are those of a request."""
    host = host_platform().triple
    if fields["target"] != host:  # the library would abort
        target = fields["target"]
        return f"this machine's wheel compiles for `{host}`, not `{target}`", b""
    if not wasm.startswith(_MAGIC):  # the library would take it for the text format
        return "not a WebAssembly binary", b""
    try:
        return None, compile_artifact(fields, wasm)
    except RefusedError as error:
        return str(error), b""
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported to the client
        return f"bad request: {error!r}", b""


if __name__ == "__main__":
    main()
