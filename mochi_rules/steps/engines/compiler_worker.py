"""A worker process: compiles Mochi to WebAssembly or CLIF.

It speaks the protocol of `workers.protocol`.

A request's second frame is JSON: the fields of a `CompileRequest`.
The answer's error is JSON too where there is anything to say, warnings included:
`{"diagnostics": [...]}`, or `{"crash": traceback}`.
"""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

from mochi_rules.steps.diagnostic_json import dump_diagnostics
from mochi_rules.workers.protocol import Greeting
from mochi_rules.workers.serve import serve

if TYPE_CHECKING:
    from collections.abc import Mapping

TOOL = "mochi"


def main() -> None:
    """Compile until stdin ends."""
    serve(Greeting(TOOL, ""), _answer)


def _answer(_fields: Mapping[str, Any], request: bytes) -> tuple[str | None, bytes]:
    # The compiler is loaded while the client waits for the first answer, not for the greeting.
    from mochi_rules.compiler.driver import CompileRequest, compile_program  # noqa: PLC0415

    try:
        result = compile_program(CompileRequest(**json.loads(request)))
    except Exception:  # noqa: BLE001 - whatever it is, it is reported to the client
        return json.dumps({"crash": traceback.format_exc()}), b""
    code = result.wasm or result.clif.encode()
    if not result.diagnostics:
        return None, code
    return json.dumps({"diagnostics": dump_diagnostics(result.diagnostics)}), code


if __name__ == "__main__":
    main()
