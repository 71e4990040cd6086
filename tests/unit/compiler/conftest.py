"""Compiles programs in this process and runs them in Wasmtime, counting objects."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import wasmtime

from mochi_rules.aot.config import canonical, engine_config
from mochi_rules.aot.engine import make_loader
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.platforms.platform import host_platform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

WASM_STACK = 64 << 20
THREAD_STACK = WASM_STACK + (16 << 20)


@dataclass(frozen=True)
class Outcome:
    """What a program did, and the size of its memory at the end in pages of 64 KiB."""

    status: int
    stdout: str
    stderr: str
    pages: int


def run_wasm(
    wasm: bytes, folder: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None,
    entry: str = "_start",
) -> Outcome:  # fmt: skip
    """Run a module with WASI; recursion may go deep."""
    engine = make_loader(canonical(engine_config(host_platform())), WASM_STACK)
    (folder / "stdin").write_bytes(stdin)
    wasi = wasmtime.WasiConfig()
    wasi.env = list((env or {}).items())
    wasi.stdin_file, wasi.stdout_file = folder / "stdin", folder / "stdout"
    wasi.stderr_file = folder / "stderr"
    store = wasmtime.Store(engine)
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    results: list[tuple[int, str]] = []
    pages: list[int] = []

    def call() -> None:
        instance = linker.instantiate(store, wasmtime.Module(engine, wasm))
        try:
            instance.exports(store)[entry](store)
            results.append((0, ""))
        except wasmtime.ExitTrap as end:
            results.append((end.code, ""))
        except wasmtime.Trap as trap:
            results.append((-1, str(trap)))
        pages.append(instance.exports(store)["memory"].size(store))

    threading.stack_size(THREAD_STACK)
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    threading.stack_size(0)
    store.close()  # the program's files are complete
    [(status, trap)] = results
    return Outcome(
        status,
        (folder / "stdout").read_bytes().decode("utf-8", "replace"),
        (folder / "stderr").read_bytes().decode("utf-8", "replace") + trap,
        *pages,
    )


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Outcome]:
    """Compile and run a program text; objects that are alive at its end make it fail."""

    def run_text(
        text: str, stdin: bytes = b"", env: Mapping[str, str] | None = None,
        others: Mapping[str, str] | None = None,
    ) -> Outcome:  # fmt: skip
        sources = {"main.mochi": text, **(others or {})}
        result = compile_program(CompileRequest("main.mochi", sources, check_leaks=True))
        assert result.wasm, result.diagnostics
        return run_wasm(result.wasm, tmp_path, stdin, env)

    return run_text
