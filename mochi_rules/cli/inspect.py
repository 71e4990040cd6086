"""`mochi-rules inspect`: what a file is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.cli.options import COLOR, Option, Verb
from mochi_rules.cli.products import read_binary
from mochi_rules.elf.report import inspect
from mochi_rules.elf.report_text import as_json, render

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def show_file(parsed: Parsed) -> int:
    """Show what a file is: wasm, artifact, object or executable; it never fails on its content."""
    report = inspect(read_binary(Path(parsed.operands[0])))
    text = as_json(report) + "\n" if parsed.has("json") else render(report, full=parsed.has("full"))
    sys.stdout.write(text)
    return 0


VERB = Verb(
    "inspect",
    "inspect FILE [OPTIONS]",
    "Describe a file: kind, target, Wasmtime, CPU features, settings, sections, functions.",
    show_file,
    (Option("json", "as JSON"), Option("full", "with all settings and functions"), COLOR),
)
