"""Mutated programs: a diagnostic, or valid wasm that runs, fails or is stopped; nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import wasmtime
from wasmtime import _ffi

from mochi_rules.compiler.driver import CompileRequest, compile_program
from tests.faults.harness import ROOT, Wrong

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

PROGRAMS = [
    path.read_text(encoding="utf-8")
    for path in sorted(
        (*ROOT.glob("tests/golden/[rfi]*/*.mochi"), *ROOT.glob("examples/*/*.mochi"))
    )
]
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|\s+|[^\w\s]')
TOKENS = [token for text in PROGRAMS for token in TOKEN.findall(text) if not token.isspace()]
KINDS = (
    (re.compile(r"\b[a-zA-Z_]\w*\b"), ()),
    (re.compile(r"\b\d+(?:\.\d+)?\b"), ("0", "1", "-1", "2.5", "9223372036854775807")),
    (re.compile(r'"(?:[^"\\]|\\.)*"'), ('""', '"\\u0000é🚀"', "null")),
    (re.compile(r" (?:[-+*/%<>]|[=!<>]=|&&|\|\||in|union|except) "),
     (" + ", " - ", " * ", " / ", " % ", " == ", " < ", " && ", " in ", " union all ")),
)  # fmt: skip
WINCH = 2  # compiles ten times faster; the wheel has no name for it
FUEL = 20_000_000
MEMORY = 64 << 20
# What ends a program without being its fault: it recursed or ran too long.
ENDS = {wasmtime.TrapCode.STACK_OVERFLOW: "deep", wasmtime.TrapCode.OUT_OF_FUEL: "stopped"}


def mutate(text: str, chance: random.Random) -> str:
    """Change a few places; half of the ways keep the kind of a token, so many programs run."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        text = chance.choice(WAYS)(text, chance)
    return text


def any_token(text: str, chance: random.Random) -> str:
    """Replace, drop or insert a token."""
    tokens = TOKEN.findall(text) or [""]
    at = chance.randrange(len(tokens))
    tokens[at] = chance.choice(("", chance.choice(TOKENS), f"{chance.choice(TOKENS)} {tokens[at]}"))
    return "".join(tokens)


def same_kind(text: str, chance: random.Random) -> str:
    """Replace a name, a number, a string or an operator by another of its kind."""
    pattern, others = chance.choice(KINDS)
    found = list(pattern.finditer(text))
    if not found:
        return text
    old = chance.choice(found)
    return (
        text[: old.start()] + chance.choice([*others, chance.choice(found)[0]]) + text[old.end() :]
    )


def lines(text: str, chance: random.Random) -> str:
    """Drop, repeat or move a line."""
    rows = text.splitlines(keepends=True) or [""]
    row = rows[chance.randrange(len(rows))]
    if chance.random() < 0.5:
        rows.remove(row)
    rows.insert(chance.randrange(len(rows) + 1), row if chance.random() < 0.8 else "")
    return "".join(rows)


WAYS = (any_token, same_kind, same_kind, lines)


class Alive(Wrong):
    """Objects are left at the end of a program."""


class Runner:
    """Runs modules under WASI: little memory, no input, and a deadline in instructions.

    `errors` and `output` are files with what the last one printed.
    """

    def __init__(self, folder: Path) -> None:
        config = wasmtime.Config()
        _ffi.dll.wasmtime_config_strategy_set(config.ptr(), WINCH)
        config.consume_fuel = True
        self._engine = wasmtime.Engine(config)
        self._linker = wasmtime.Linker(self._engine)
        self._linker.define_wasi()
        self.errors, self.output = folder / "stderr", folder / "stdout"

    def run(self, wasm: bytes) -> str:
        """Run a module, and return in a word how it ended."""
        try:
            module = wasmtime.Module(self._engine, wasm)
        except wasmtime.WasmtimeError as error:
            raise Wrong(f"invalid wasm: {error}") from None
        store = wasmtime.Store(self._engine)
        store.set_fuel(FUEL)
        store.set_limits(memory_size=MEMORY)
        wasi = wasmtime.WasiConfig()
        wasi.stderr_file, wasi.stdout_file = self.errors, self.output
        store.set_wasi(wasi)
        trap = self._call(store, module)
        store.close()  # the program's file is complete
        errors = self.errors.read_bytes()
        if b"objects alive" in errors:
            raise Alive("objects alive at the end")
        if trap is None:
            return "failed" if errors else "ended"
        if trap is wasmtime.TrapCode.UNREACHABLE and errors.endswith(b"error: out of memory\n"):
            return "memory"
        if trap not in ENDS:
            raise Wrong(f"trap: {trap}")
        return ENDS[trap]

    def _call(self, store: wasmtime.Store, module: wasmtime.Module) -> wasmtime.TrapCode | None:
        try:
            self._linker.instantiate(store, module).exports(store)["_start"](store)
        except wasmtime.ExitTrap:  # a status of its own
            return None
        except wasmtime.Trap as trap:
            return trap.trap_code
        return None


def holds_itself(runner: Runner, text: str) -> bool:
    """Return whether a variable of a program holds itself in the end: cycles are not freed.

    One that does is printed as `[...]` or `{...}`.
    """
    names = re.findall(r"^(?:let|var) (\w+)", text, re.MULTILINE)
    shown = "\n".join((text, *(f"print({name})" for name in names)))
    result = compile_program(CompileRequest("m.mochi", {"m.mochi": shown}))
    if result.wasm:
        runner.run(result.wasm)
    return b"..." in runner.output.read_bytes()


def prepare(folder: Path) -> Callable[[random.Random], str]:
    """Return what compiles a mutated program and runs it."""
    runner = Runner(folder)

    def run(chance: random.Random) -> str:
        text = mutate(chance.choice(PROGRAMS), chance)
        (folder / "input").write_text(text, encoding="utf-8")
        result = compile_program(CompileRequest("m.mochi", {"m.mochi": text}, check_leaks=True))
        if result.wasm:
            try:
                return runner.run(result.wasm)
            except Alive:
                if holds_itself(runner, text):
                    return "cyclic"
                raise
        if not result.diagnostics:
            raise Wrong("neither wasm nor a diagnostic")
        return "refused"

    return run
