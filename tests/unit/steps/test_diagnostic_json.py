"""Tests of diagnostics as JSON."""

from __future__ import annotations

import json

from mochi_rules.base.diagnostic import Diagnostic, Fault, Label, Severity
from mochi_rules.base.render import render_all
from mochi_rules.base.span import Source, Span
from mochi_rules.steps.diagnostic_json import dump_diagnostics, load_diagnostics

TEXT = 'let x = 1\nlet y = "ü"\n'
SOURCE = Source("a.mochi", TEXT)
FULL = Diagnostic(
    "T008", "type mismatch", Span(SOURCE, 18, 21), "this", (Label(Span(SOURCE, 4, 5), "here"),),
    ("a note",), "a help", Severity.WARNING, Fault.ENVIRONMENT,
)  # fmt: skip


def test_diagnostic_survives_the_way() -> None:
    """What is shown after the way is what would have been shown before."""
    values = json.loads(json.dumps(dump_diagnostics([FULL, Diagnostic("X001", "plain")])))
    loaded = load_diagnostics(values, {"a.mochi": TEXT})
    assert render_all(loaded) == render_all([FULL, Diagnostic("X001", "plain")])
    assert (loaded[0].severity, loaded[0].fault) == (FULL.severity, FULL.fault)


def test_place_in_an_unknown_source_is_left_out() -> None:
    """A message without its source is still a message."""
    [loaded] = load_diagnostics(dump_diagnostics([FULL]), {})
    assert (loaded.message, loaded.span, loaded.labels) == ("type mismatch", None, ())
