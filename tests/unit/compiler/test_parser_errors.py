"""Errors of the lexer and the parser: their wording, their places, and what follows them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import mochi_rules.compiler
from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.base.render import render_all
from mochi_rules.base.span import Source
from mochi_rules.compiler.syntax.parser import parse_module

GOLDEN = Path(__file__).parents[2] / "golden" / "errors"
CASES = sorted(GOLDEN.glob("P*.mochi"))


def faults(text, name="t.mochi"):
    """Return the diagnostics of a text in the order of their places."""
    diagnostics = Diagnostics()
    parse_module(Source(name, text), diagnostics)
    return sorted(diagnostics, key=lambda item: item.span.start)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_error(path, golden):
    """Each case is reported as its golden file says."""
    found = faults(path.read_text(encoding="utf-8"), path.name)
    golden(path.with_suffix(".err"), render_all(found))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case_is_named_after_its_code(path):
    """Every case reports the code that its name begins with."""
    code = path.stem.partition("_")[0]
    assert code in {fault.code for fault in faults(path.read_text(encoding="utf-8"))}


def test_golden_files_have_sources():
    """No golden error is left without the program it is reported for."""
    assert {path.stem for path in GOLDEN.glob("P*.err")} == {path.stem for path in CASES}


def test_every_code_has_a_case():
    """Every code that the lexer and the parser emit has a golden case or is tested apart."""
    folder = Path(mochi_rules.compiler.__file__).parent / "syntax"
    modules = folder.glob("*.py")
    emitted = {code for path in modules for code in re.findall(r'"(P\d{3})"', path.read_text())}
    apart = {"P048", "P080"}
    assert emitted == {path.stem.partition("_")[0] for path in CASES} | apart
