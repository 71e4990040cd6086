"""Each cell of the table of operations is refused, runs, or stops with a message: nothing else.

Many cells make one program, in which each is a `test` block of one line. What runs to its end has
freed everything; what stops says file and line; what prints shows no bits of something else.
"""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import wasmtime
from operations import PRELUDE, Cell, table

from mochi_rules.compiler.driver import CompileRequest, compile_program

if TYPE_CHECKING:
    from pathlib import Path

CHUNK = 250  # cells of one program
CHUNKS = 16
SHARE = float(os.environ.get("MOCHI_TABLE_SHARE", "0.03"))
FUEL = 20_000_000
MESSAGE = re.compile(r"error: .*\n  --> t\.mochi:\d+\n", re.DOTALL)
# All values are small: a large number is an address, or the bits of something else.
RAW = re.compile(r"(?<![.\d])\d{5,}|e[-+]\d{3}|0{9}|\ufffd")


@dataclass(frozen=True)
class Result:
    """What came of a cell: `kind` is "refused", "ran", "stopped" or "broken"."""

    kind: str
    detail: str


def _engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.consume_fuel = True
    config.cranelift_opt_level = "none"
    return wasmtime.Engine(config)


def judge(cells: list[Cell], engine: wasmtime.Engine, folder: Path) -> dict[Cell, Result]:
    """Compile cells as one program, without those that are refused, and run each."""
    results: dict[Cell, Result] = {}
    while cells:
        blocks = [f'test "{number}" {{ {cell.text} }}\n' for number, cell in enumerate(cells)]
        text = PRELUDE + "".join(blocks)
        try:
            compiled = compile_program(
                CompileRequest("t.mochi", {"t.mochi": text}, check_leaks=True, tests=True)
            )
            if compiled.wasm:
                module = wasmtime.Module(engine, compiled.wasm)
                for number, cell in enumerate(cells):
                    results[cell] = run(engine, module, f"test_{number}", folder)
                return results
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            if len(cells) == 1:
                return {**results, cells[0]: Result("broken", f"{type(error).__name__}: {error}")}
            middle = len(cells) // 2
            for half in (cells[:middle], cells[middle:]):
                results |= judge(half, engine, folder)
            return results
        refused = {}
        for diagnostic in compiled.diagnostics:
            line, _ = diagnostic.span.source.position(diagnostic.span.start)
            refused[cells[line - PRELUDE.count("\n") - 1]] = Result("refused", diagnostic.message)
        results |= refused
        cells = [cell for cell in cells if cell not in refused]
    return results


def run(engine: wasmtime.Engine, module: wasmtime.Module, entry: str, folder: Path) -> Result:
    """Run one cell."""
    out, err = folder / "out", folder / "err"
    wasi = wasmtime.WasiConfig()
    wasi.stdout_file, wasi.stderr_file = out, err
    store = wasmtime.Store(engine)
    store.set_wasi(wasi)
    store.set_fuel(FUEL)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    status, trap = 0, ""
    try:
        linker.instantiate(store, module).exports(store)[entry](store)
    except wasmtime.ExitTrap as end:
        status = end.code
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        status, trap = -1, str(error).splitlines()[-1]
    store.close()
    shown, message = out.read_text(errors="replace"), err.read_text(errors="replace")
    if status == 0 and not RAW.search(shown):
        return Result("ran", shown)
    if status == 1 and MESSAGE.fullmatch(message) and not RAW.search(message):
        return Result("stopped", message)
    return Result("broken", f"status {status}: {shown}{message}{trap}")


def disagreements(results: dict[Cell, Result]) -> list[str]:
    """Return the cells that print something else than with operands of the type any.

    A written `list<float>` makes floats of the ints of a list, but only of one that is known.
    """
    found = []
    for cell, result in results.items():
        other = results.get(cell.dynamic)
        if "list<float>" in cell.operation:
            continue
        if not other or not result.kind == other.kind == "ran":
            continue
        if result.detail != other.detail:
            found.append(f"{cell}: {result.detail!r}, as any {other.detail!r}")
    return found


def broken(results: dict[Cell, Result]) -> list[str]:
    """Return the cells with a result that there must not be."""
    return [
        f"{cell}: {result.detail}" for cell, result in results.items() if result.kind == "broken"
    ]


def test_sampled_operations_are_refused_or_run(tmp_path) -> None:
    """A few cells of each kind: the whole table takes minutes."""
    cells = random.Random(7).sample([*table()], 25)
    assert not broken(judge(cells, _engine(), tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(CHUNKS))
def test_operations_are_refused_or_run(number, tmp_path) -> None:
    """With what is known of the operands or without, the results are equal.

    MOCHI_TABLE_SHARE is the part of the table that is judged; 1 takes an hour.
    """
    cells = [*table()][number::CHUNKS]
    chosen = random.Random(number).sample(cells, int(len(cells) * SHARE))
    cells = [*dict.fromkeys(one for cell in chosen for one in (cell, cell.dynamic))]
    engine, results = _engine(), {}
    for has_bigint in (False, True):  # the type changes arithmetic in the whole program
        alike = [cell for cell in cells if ("bigint" in cell.text) is has_bigint]
        for start in range(0, len(alike), CHUNK):
            results |= judge(alike[start : start + CHUNK], engine, tmp_path)
    assert not broken(results) + disagreements(results)
