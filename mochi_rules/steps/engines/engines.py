"""The engines as the pipeline calls them: in this process, or in a pool of workers."""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from mochi_rules.aot.client import AotWorker, compile_wasm
from mochi_rules.aot.native.client import compile_clif
from mochi_rules.aot.wheel import WHEEL
from mochi_rules.base.dataclass import dataclass, fields
from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError, Severity
from mochi_rules.base.isolation import isolated_main
from mochi_rules.platforms.native_files import AOT_WORKER
from mochi_rules.platforms.platform import host_platform
from mochi_rules.steps.engines import wheel_worker
from mochi_rules.steps.processes.subprocesses import Subprocesses
from mochi_rules.workers.process import Worker, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.aot.native.client import NativeConfig
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.toolchain import Toolchain
    from mochi_rules.steps.away.worker import Away
    from mochi_rules.steps.tools.tool_choice import Toolchains

_Worker = TypeVar("_Worker", bound=Worker)


@dataclass(frozen=True, slots=True)
class MochiOptions:
    """How the compiler is to be run: the fields of its request besides the sources."""

    debug_names: bool = True
    debug_info: bool = False
    optimize: int = 2
    is_library: bool = False
    native: bool = False
    stamp: bool = False
    exports: tuple[str, ...] = ()
    shard: tuple[int, int] = (0, 1)

    def words(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Compiled:
    """The code of a program, which is wasm or the text of CLIF, and the warnings about it."""

    code: bytes
    warnings: tuple[Diagnostic, ...] = ()


class Engines(Protocol):
    """What steps are made of; every call may come from any thread."""

    @property
    def subprocesses(self) -> Subprocesses:
        """The programs that run now."""

    def compile_mochi(
        self, main: str, sources: Mapping[str, str], options: MochiOptions
    ) -> Compiled:
        """Compile a program.

        Raises:
            MochiError: The program is wrong, or the compiler is.
        """

    def compile_wasm(self, config: EngineConfig, wasm: bytes) -> bytes:
        """Compile ahead of time.

        Emits: as `aot.client.compile_wasm`; C002 (no toolchain for the platform).

        Raises:
            MochiError: There is no artifact.
        """

    def check_artifact(
        self, config: EngineConfig, name: str, artifact: bytes, wasm: bytes | None
    ) -> bytes:
        """Return as `steps.artifact_check.check_artifact`."""

    def compile_clif(self, config: NativeConfig, name: str, clif: bytes) -> bytes:
        """Compile CLIF to an object; `name` is what messages call the program.

        Emits: as `aot.native.client.compile_clif`; C002 (no toolchain).

        Raises:
            MochiError: There is no object.
        """

    def wasmtime(self, platform: Platform) -> str | None:
        """Return as `Toolchains.wasmtime`."""

    def close(self) -> None:
        """End every worker, and every program."""


class Pool(Generic[_Worker]):
    """Workers of one command: one for each caller at a time, kept for the next."""

    def __init__(self, make: Callable[[], _Worker]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: list[_Worker] = []
        self._is_closed = False

    @contextmanager
    def worker(self) -> Iterator[_Worker]:
        """Give a worker for exclusive use."""
        with self._lock:
            if self._is_closed:
                raise _interrupted()
            if not self._idle:
                self._idle.append(self._make())
                self._all += self._idle
            worker = self._idle.pop()
        try:
            yield worker
        finally:
            with self._lock:
                self._idle.append(worker)

    def close(self) -> None:
        """End every worker, and let none be started: whoever waits for one gets an error."""
        with self._lock:
            self._is_closed = True
            workers, self._all = self._all, []
        for worker in workers:
            worker.close()


class PooledEngines:
    """Engines in worker processes, as many as there are callers: for builds with `-j`.

    Some of them may be `away`, on a server.
    """

    def __init__(self, toolchains: Toolchains, away: Away | None = None) -> None:
        self.subprocesses = Subprocesses(away)
        self._toolchains = toolchains
        self._away = away
        self._compilers = Pool(lambda: self._hire("mochi", WorkerProcess(compiler_command())))
        self._aot: dict[tuple[str, ...], Pool[Worker]] = {}
        self._wheel: Pool[Worker] | None = None  # of those that check, too
        self._clif = Pool(self._hire_clif)
        self._lock = threading.Lock()

    def compile_mochi(
        self, main: str, sources: Mapping[str, str], options: MochiOptions
    ) -> Compiled:
        """Compile a program in a worker."""
        request = {"main": main, "sources": dict(sources), **options.words()}
        with self._compilers.worker() as worker:
            text, wasm = worker.request({"main": main}, json.dumps(request).encode())
        return _compiled(text, wasm, sources)

    def compile_wasm(self, config: EngineConfig, wasm: bytes) -> bytes:
        """Compile ahead of time in a worker of the platform's toolchain."""
        tool = self._toolchains.aot_tool(config.platform)
        with self._lock:
            pool = self._aot.setdefault(tool.command, Pool(partial(self._hire_aot, tool)))
            if tool.name == WHEEL and self._away is None:
                self._wheel = pool
        with pool.worker() as worker:
            return compile_wasm(worker, config, wasm)

    def check_artifact(
        self, config: EngineConfig, name: str, artifact: bytes, wasm: bytes | None
    ) -> bytes:
        """Check an artifact: in a worker, if there are some that can."""
        if self._wheel is None:
            from mochi_rules.steps.artifact_check import check_artifact  # noqa: PLC0415 - 30 ms

            return check_artifact(config, name, artifact, wasm)
        with self._wheel.worker() as worker:
            return wheel_worker.check_artifact(worker, config, name, artifact, wasm)

    def compile_clif(self, config: NativeConfig, name: str, clif: bytes) -> bytes:
        """Compile CLIF in a worker."""
        with self._clif.worker() as worker:
            return compile_clif(worker, config, name, clif)

    def wasmtime(self, platform: Platform) -> str | None:
        """Return as `Toolchains.wasmtime`."""
        return self._toolchains.wasmtime(platform)

    def close(self) -> None:
        """End every worker, and every program."""
        if self._away is not None:
            self._away.close()
        self.subprocesses.close()
        with self._lock:
            aot = list(self._aot.values())
        self._compilers.close()
        self._clif.close()
        for pool in aot:
            pool.close()
        if self._away is not None:
            self._away.settle()

    def _hire_aot(self, tool: Toolchain) -> Worker:
        """Return a worker that compiles ahead of time.

        On a server, our own worker starts ten times as fast as Python with the wheel. A `wasmtime`
        that the user has stays on this machine.
        """
        if self._away is None and tool.name == WHEEL:
            return AotWorker(wheel_worker.command())
        local = AotWorker(tool.command)
        if self._away is None or tool.name not in (WHEEL, AOT_WORKER):
            return local
        return self._hire("aot", local, tool if tool.name == AOT_WORKER else self._installed)

    def _hire_clif(self) -> Worker:
        tool = self._toolchains.clif_tool()
        return self._hire("clif", WorkerProcess(tool.command), tool)

    @cached_property
    def _installed(self) -> Toolchain | None:
        """Our own worker, if it is there, with the Wasmtime of the wheel."""
        host = host_platform()
        own, wheel = self._toolchains.worker(host).chosen, self._toolchains.aot_tool(host)
        return own if own and own.recipe is None and own.identity == wheel.identity else None

    def _hire(self, kind: str, local: WorkerProcess, tool: Toolchain | None = None) -> Worker:
        """Return a worker for a kind of step: on the server, if that is where it runs."""
        if self._away is None or kind not in self._away.policies:
            return local
        from mochi_rules.steps.away.worker import RemoteWorker  # noqa: PLC0415 - where it is asked

        return RemoteWorker(self._away, kind, local, Path(tool.command[0]) if tool else None)


def compiler_command() -> tuple[str, ...]:
    """Return the command of a compiler worker, isolated like that of the Python package."""
    return isolated_main("mochi_rules.steps.engines.compiler_worker")


def compiled(wasm: bytes, diagnostics: tuple[Diagnostic, ...]) -> Compiled:
    """Return what the compiler made, or raise its errors."""
    errors = [item for item in diagnostics if item.severity is Severity.ERROR]
    if errors:
        raise MochiError(*errors)
    return Compiled(wasm, diagnostics)


def _compiled(text: str | None, wasm: bytes, sources: Mapping[str, str]) -> Compiled:
    if text is None:
        return Compiled(wasm)
    from mochi_rules.steps.diagnostic_json import load_diagnostics  # noqa: PLC0415 - most have nothing to say

    answer = json.loads(text)
    if "crash" in answer:
        raise crash(answer["crash"])
    return compiled(wasm, load_diagnostics(answer["diagnostics"], sources))


def crash(trace: str) -> MochiError:
    """Make the error of a compiler that failed; `trace` is its traceback.

    Emits: X001.
    """
    last = trace.strip().splitlines()[-1]
    notes = (trace,) if os.environ.get("MOCHI_RULES_DEBUG") else ()
    message = f"internal error in the compiler: {last}"
    return MochiError(Diagnostic("X001", message, notes=notes, fault=Fault.INTERNAL))


def _interrupted() -> MochiError:
    return MochiError(Diagnostic("B015", "interrupted", fault=Fault.ENVIRONMENT))
