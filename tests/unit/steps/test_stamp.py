"""Tests of stamping: what a program reads, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.formats.build_info import build_info_place, read_build_info
from mochi_rules.steps.stamp import stamp_step
from mochi_rules.steps.step import WASM
from tests.unit.compiler.conftest import run_wasm

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {"version": "1.4.0", "commit": "c" * 40}
READS = 'print([build_info("version"), build_info("commit"), build_info("x"), build_info("")])\n'
NOBODY: Any = None  # no engine makes the output


def compiled(text: str, *, stamp: bool) -> bytes:
    """Compile a program."""
    request = CompileRequest("app.mochi", {"app.mochi": text}, check_leaks=True, stamp=stamp)
    return compile_program(request).wasm


def stamped(data: bytes) -> bytes:
    """Stamp a file."""
    return stamp_step(WASM, VALUES).make(NOBODY, {WASM: data}).data


def printed(wasm: bytes, folder: Path) -> str:
    """Return what a program prints."""
    outcome = run_wasm(wasm, folder)
    assert outcome.status == 0, outcome.stderr
    return outcome.stdout


def test_stamped_program_reads_its_version_and_commit(tmp_path: Path) -> None:
    """Names that are not known have no value."""
    wasm = stamped(compiled(READS, stamp=True))
    assert printed(wasm, tmp_path) == f'["1.4.0", "{"c" * 40}", "", ""]\n'


def test_program_without_a_stamp_reads_nothing(tmp_path: Path) -> None:
    """It is the same program, so tests of it need not run again for a version."""
    assert printed(compiled(READS, stamp=False), tmp_path) == '["", "", "", ""]\n'


def test_program_that_reads_nothing_is_stamped_too() -> None:
    """Its version is read from the file."""
    assert read_build_info(stamped(compiled("print(1)\n", stamp=True))) == VALUES


@pytest.mark.parametrize(("stamp", "places"), [(True, 1), (False, 0)])
def test_native_program_has_the_same_place(places: int, *, stamp: bool) -> None:
    """Its object is stamped by the same step, so its data must have an empty place in it."""
    request = CompileRequest("app.mochi", {"app.mochi": "print(1)\n"}, stamp=stamp, native=True)
    assert compile_program(request).clif.count(build_info_place({}).hex()) == places


def test_program_that_was_not_compiled_for_it_is_refused() -> None:
    """There is no place in it that could be filled in."""
    with pytest.raises(MochiError, match="A121"):
        stamped(compiled("print(1)\n", stamp=False))


def test_function_of_that_name_is_the_program_s_own(tmp_path: Path) -> None:
    """Programs that had one before go on as they are."""
    text = 'fun build_info(name: string): string { return name }\nprint(build_info("x"))\n'
    assert printed(compiled(text, stamp=False), tmp_path) == "x\n"
