"""Tests of what a foreign module may import."""

from __future__ import annotations

import pytest
import wasmtime

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.steps.import_checks import FUNCTIONS, MODULE, check_imports, check_program
from mochi_rules.wasm.reader.read_summary import read_summary


def faults(text: str) -> list[Diagnostic]:
    """Return what is wrong with the imports of a module."""
    summary = read_summary(bytes(wasmtime.wat2wasm(f"(module {text})")))
    try:
        check_imports("app.wasm", summary)
    except MochiError as error:
        return list(error.diagnostics)
    return []


def test_functions_are_those_that_wasmtime_gives() -> None:
    """Every function of the table can be linked."""
    engine = wasmtime.Engine()
    store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
    linker.define_wasi()
    store.set_wasi(wasmtime.WasiConfig())
    for name in FUNCTIONS:
        assert linker.get(store, MODULE, name)


def test_functions_of_wasi_are_given() -> None:
    """A program that prints is fine."""
    assert not faults(f'(import "{MODULE}" "fd_write" (func (param i32 i32 i32 i32) (result i32)))')


@pytest.mark.parametrize(
    ("text", "message", "help_"),
    [
        (
            '(import "env" "log" (func))',
            "`app.wasm` imports `env.log` (func), which no host provides",
            "link what it imports into the module before, or leave it out",
        ),
        (
            f'(import "{MODULE}" "fd_wirte" (func))',
            f"`app.wasm` imports `{MODULE}.fd_wirte` (func), which no host provides",
            "did you mean `fd_write`?",
        ),
        (
            '(import "wasi_unstable" "fd_write" (func))',
            "`app.wasm` imports `wasi_unstable.fd_write` (func), which no host provides",
            f"compile the program for `{MODULE}`",
        ),
        (
            '(import "env" "memory" (memory 1))',
            "`app.wasm` imports `env.memory` (memory), which no host provides",
            "link what it imports into the module before, or leave it out",
        ),
    ],
)
def test_import_that_nobody_gives_is_named(text: str, message: str, help_: str) -> None:
    """The message has module, name and kind, and the help what to do."""
    [found] = faults(text)
    assert (found.code, found.message, found.help) == ("B030", message, help_)


def test_every_bad_import_is_reported() -> None:
    """One error for each, so that all can be fixed at once."""
    assert len(faults('(import "a" "b" (func)) (import "a" "c" (global i32))')) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(module)", "`app.wasm` is not a program: it has no function `_start`"),
        ("(component)", "`app.wasm` cannot become an executable: it is a component"),
    ],
)
def test_what_is_no_program_is_reported(text: str, message: str) -> None:
    """With what makes the rule take it."""
    with pytest.raises(MochiError) as caught:
        check_program("app.wasm", read_summary(bytes(wasmtime.wat2wasm(text))))
    [found] = caught.value.diagnostics
    assert (found.code, found.message) == ("B031", message)
    assert found.help == "write `executable = False`"
