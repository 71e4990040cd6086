"""The client of ahead-of-time compilers: what is asked of a worker, and what it must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.config import EngineConfig, canonical
from mochi_rules.aot.engine_options import WASMTIME_MAJOR
from mochi_rules.aot.problems import refusal
from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError, environment_error
from mochi_rules.wasm.reader.cursor import Cursor
from mochi_rules.wasm.reader.preamble import read_layer
from mochi_rules.workers.process import WorkerProcess, nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.workers.process import Worker
    from mochi_rules.workers.protocol import Greeting

_KINDS = ("module", "component")  # by the layer in the first bytes of a wasm


class AotWorker(WorkerProcess):
    """A worker that makes artifacts: it must have the Wasmtime that will load them."""

    def check(self, greeting: Greeting) -> None:
        """Refuse a worker with another major version.

        Emits: A061.

        Raises:
            MochiError: Its artifacts would not load.
        """
        version = greeting.wasmtime
        if version.partition(".")[0] != str(WASMTIME_MAJOR):
            raise environment_error(
                "A061",
                f"`{self.command[0]}` compiles with Wasmtime `{version}`",
                notes=(f"its artifacts cannot be loaded: version {WASMTIME_MAJOR} is required",),
            )


def compile_wasm(
    worker: Worker,
    config: EngineConfig,
    wasm: bytes,
    meanwhile: Callable[[], None] = nothing,
) -> bytes:
    """Return the `.cwasm` of a module or a component. The imports are not checked here.

    `meanwhile` is called while the worker compiles.

    Emits: A010, A011 (no WebAssembly); A060 to A063, A080, A081 as WorkerProcess.request; A064 (the
    answer is not an artifact), A066 (truncated),
    A067 (needs a feature that is off), A068 (not valid), A069 (cannot be compiled).

    Raises:
        MochiError: There is no artifact.
    """
    kind = _KINDS[read_layer(wasm, Cursor(wasm, "preamble"))]
    error, artifact = worker.request({"kind": kind, **canonical(config)}, wasm, meanwhile)
    if error is not None:
        raise refusal(error, config)
    if not artifact.startswith(b"\x7fELF"):
        raise MochiError(
            Diagnostic("A064", "the compiler's answer is not an artifact", fault=Fault.INTERNAL)
        )
    return artifact
