"""The engines for one program at a time: the compiler in this process, the rest in a worker."""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import TYPE_CHECKING

from mochi_rules.aot.client import AotWorker, compile_wasm
from mochi_rules.aot.native.client import compile_clif
from mochi_rules.aot.wheel import WHEEL
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.steps.engines import wheel_worker
from mochi_rules.steps.engines.engines import Compiled, MochiOptions, compiled
from mochi_rules.steps.processes.subprocesses import Subprocesses
from mochi_rules.workers.process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.aot.native.client import NativeConfig
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.steps.engines.kept_runtime import KeptRuntime
    from mochi_rules.steps.tools.tool_choice import Toolchains


class LocalEngines:
    """The compiler in this process, and one worker for what follows: for one program at a time.

    What will be needed is made ready while something else is waited for: the worker for `platform`
    starts while this process compiles, and this process loads what comes next while the worker
    compiles. Where the wheel compiles, its worker checks artifacts too. `kept` has runtime
    functions of earlier processes.
    """

    def __init__(self, toolchains: Toolchains, platform: Platform | None = None) -> None:
        self.subprocesses = Subprocesses()
        self._toolchains = toolchains
        self._platform = platform
        self.kept: KeptRuntime | None = None
        self._workers: dict[str, AotWorker] = {}  # by the name of the toolchain
        self._clif: WorkerProcess | None = None

    def start(self) -> None:
        """Let the worker start, and load Wasmtime, without waiting for it."""
        if self._platform is not None:
            with suppress(MochiError):  # the first request will say it again
                self._worker(self._platform).start()

    def compile_mochi(
        self, main: str, sources: Mapping[str, str], options: MochiOptions
    ) -> Compiled:
        """Compile a program here."""
        self.start()
        # Most runs find everything in the cache, and loading the compiler takes 100 ms.
        from mochi_rules.compiler.driver import CompileRequest, compile_program  # noqa: PLC0415

        request = CompileRequest(main, sources, **options.words())
        if self.kept:
            self.kept.restore(options.optimize)
        result = compile_program(request)
        return compiled(result.wasm or result.clif.encode(), result.diagnostics)

    def compile_wasm(self, config: EngineConfig, wasm: bytes) -> bytes:
        """Compile ahead of time in the worker."""
        worker = self._worker(config.platform)
        if self._platform is None:
            return compile_wasm(worker, config, wasm)
        return compile_wasm(worker, config, wasm, _load_wasmtime)

    def check_artifact(
        self, config: EngineConfig, name: str, artifact: bytes, wasm: bytes | None
    ) -> bytes:
        """Check an artifact: in the worker, if there is one that can."""
        worker = self._workers.get(WHEEL)
        if worker is not None:
            return wheel_worker.check_artifact(worker, config, name, artifact, wasm)
        from mochi_rules.steps.artifact_check import check_artifact  # noqa: PLC0415 - 30 ms

        return check_artifact(config, name, artifact, wasm)

    def compile_clif(self, config: NativeConfig, name: str, clif: bytes) -> bytes:
        """Compile CLIF in a worker."""
        if self._clif is None:
            self._clif = WorkerProcess(self._toolchains.clif_tool().command)
        return compile_clif(self._clif, config, name, clif)

    def wasmtime(self, platform: Platform) -> str | None:
        """Return as `Toolchains.wasmtime`."""
        return self._toolchains.wasmtime(platform)

    def close(self) -> None:
        """End the worker, and every program."""
        self.subprocesses.close()
        for worker in self._workers.values():
            worker.close()
        if self._clif is not None:
            self._clif.close()
        if self.kept:
            self.kept.keep()

    def _worker(self, platform: Platform) -> AotWorker:
        tool = self._toolchains.aot_tool(platform)
        if tool.name not in self._workers:
            command = wheel_worker.command(ahead=True) if tool.name == WHEEL else tool.command
            self._workers[tool.name] = AotWorker(command)
        return self._workers[tool.name]


def _load_wasmtime() -> None:
    """Load what runs an artifact."""
    with suppress(ImportError):  # whoever needs it says so
        importlib.import_module("wasmtime")
